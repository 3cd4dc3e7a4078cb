/**
 * `$filter`: the part of OData's language people use on a directory, parsed; the rest is refused by name.
 * @module
 */
import { limits, SallyportError } from '@sallyport/protocol'

/** A value in a filter. */
export type FilterValue = string | boolean

/** A parsed filter. `field/any(x:x eq 'v')` is an `eq` of a list, which here means the same. */
export type Filter =
  | { op: 'and' | 'or'; terms: Filter[] }
  | { op: 'eq' | 'in' | 'startswith'; field: string; values: FilterValue[] }

interface Token {
  kind: 'text' | 'word' | 'mark' | 'end'
  value: string
}

/** @throws SallyportError ERR_ARM_INVALID_REQUEST saying what was expected where. */
export function parseFilter(text: string): Filter {
  if (text.length > limits.graphFilterLength) {
    throw invalid(`is longer than ${limits.graphFilterLength} characters`)
  }
  const parser = new FilterParser(tokens(text))
  return parser.whole()
}

const tokenPattern = /\s*(?:('(?:[^']|'')*')|([A-Za-z][A-Za-z0-9]*)|([(),:/]))/y

function tokens(text: string): Token[] {
  const found: Token[] = []
  const rest = text.trimEnd()
  let at = 0
  while (at < rest.length) {
    tokenPattern.lastIndex = at
    const match = tokenPattern.exec(rest)
    if (match === null) throw invalid(`cannot be read from character ${at + 1} on`)
    const [all, quoted, word, mark] = match
    if (quoted !== undefined) {
      found.push({ kind: 'text', value: quoted.slice(1, -1).replaceAll("''", "'") })
    } else if (word !== undefined) found.push({ kind: 'word', value: word })
    else found.push({ kind: 'mark', value: mark ?? '' })
    at += all.length
  }
  return found
}

/** One walk over the tokens of a filter. */
class FilterParser {
  readonly #tokens: Token[]
  #at = 0
  #terms = 0
  #depth = 0

  constructor(tokensOfFilter: Token[]) {
    this.#tokens = tokensOfFilter
  }

  whole(): Filter {
    const filter = this.#chain('or')
    if (this.#peek().kind !== 'end') throw this.#expected("'and', 'or' or the end")
    return filter
  }

  /** `or` binds weaker than `and`. */
  #chain(op: 'and' | 'or'): Filter {
    const next = (): Filter => (op === 'or' ? this.#chain('and') : this.#term())
    const first = next()
    const terms = [first]
    while (this.#takeWord(op)) terms.push(next())
    return terms.length === 1 ? first : { op, terms }
  }

  #term(): Filter {
    this.#terms += 1
    if (this.#terms > limits.graphFilterTerms) {
      throw invalid(`has more than ${limits.graphFilterTerms} terms`)
    }
    if (this.#takeMark('(')) {
      this.#depth += 1
      if (this.#depth > limits.graphFilterDepth) throw invalid('is nested too deeply')
      const inner = this.#chain('or')
      this.#needMark(')')
      this.#depth -= 1
      return inner
    }
    const word = this.#word('a property')
    if (word.toLowerCase() === 'startswith') return this.#startsWith()
    if (this.#takeMark('/')) return this.#any(word)
    const operator = this.#word("'eq' or 'in'").toLowerCase()
    if (operator === 'eq') return { op: 'eq', field: word, values: [this.#value()] }
    if (operator === 'in') return { op: 'in', field: word, values: this.#list() }
    throw invalid(`has the operator '${operator}'; this hub knows eq, in, startswith, and, or`)
  }

  #startsWith(): Filter {
    this.#needMark('(')
    const field = this.#word('a property')
    this.#needMark(',')
    const value = this.#value()
    this.#needMark(')')
    return { op: 'startswith', field, values: [value] }
  }

  /** `servicePrincipalNames/any(c:c eq 'name')`. */
  #any(field: string): Filter {
    if (!this.#takeWord('any')) throw this.#expected("'any'")
    this.#needMark('(')
    const name = this.#word('a name')
    this.#needMark(':')
    if (this.#word('the same name') !== name) throw this.#expected(`'${name}'`)
    if (!this.#takeWord('eq')) throw this.#expected("'eq'")
    const value = this.#value()
    this.#needMark(')')
    return { op: 'eq', field, values: [value] }
  }

  #list(): FilterValue[] {
    this.#needMark('(')
    const values = [this.#value()]
    while (this.#takeMark(',')) values.push(this.#value())
    this.#needMark(')')
    return values
  }

  #value(): FilterValue {
    const token = this.#peek()
    this.#at += 1
    if (token.kind === 'text') return token.value
    if (token.kind === 'word' && token.value === 'true') return true
    if (token.kind === 'word' && token.value === 'false') return false
    this.#at -= 1
    throw this.#expected("a value in single quotes, 'true' or 'false'")
  }

  #word(what: string): string {
    const token = this.#peek()
    if (token.kind !== 'word') throw this.#expected(what)
    this.#at += 1
    return token.value
  }

  #takeWord(word: string): boolean {
    const token = this.#peek()
    const isIt = token.kind === 'word' && token.value.toLowerCase() === word
    if (isIt) this.#at += 1
    return isIt
  }

  #takeMark(mark: string): boolean {
    const token = this.#peek()
    const isIt = token.kind === 'mark' && token.value === mark
    if (isIt) this.#at += 1
    return isIt
  }

  #needMark(mark: string): void {
    if (!this.#takeMark(mark)) throw this.#expected(`'${mark}'`)
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', value: '' }
  }

  #expected(what: string): SallyportError {
    const { kind } = this.#peek()
    const where = kind === 'end' ? 'at its end' : `at part ${this.#at + 1}`
    return invalid(`is not understood ${where}: expected ${what}`)
  }
}

function invalid(rule: string): SallyportError {
  return new SallyportError('ERR_ARM_INVALID_REQUEST', `'$filter' ${rule}`, { target: '$filter' })
}
