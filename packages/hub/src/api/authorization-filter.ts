/**
 * `$filter` of Microsoft.Authorization: the few forms its clients send, joined by `and`.
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { SallyportError, isGuid } from '@sallyport/protocol'
import { queryValue } from './query.ts'

const form =
  /^\s*(?:(atscope|atscopeandbelow)\(\)|(assignedto)\(\s*'((?:[^']|'')*)'\s*\)|(\w+)\s+eq\s+'((?:[^']|'')*)')\s*$/i

/** Reads the filter into members of `known`; names in lower case, values as they are. */
function readFilter(request: FastifyRequest, known: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  const text = queryValue(request, '$filter')
  if (text === undefined || text.trim() === '') return found
  for (const part of splitAnd(text)) {
    const [, call, assigned, assignee, name, value] = form.exec(part) ?? []
    const key = (call ?? assigned ?? name ?? '').toLowerCase()
    if (!known.includes(key) || found.has(key)) throw unsupported(known)
    found.set(key, (assignee ?? value ?? '').replaceAll("''", "'"))
  }
  return found
}

/** Parts joined by `and` outside quotes. */
function splitAnd(text: string): string[] {
  const parts: string[] = []
  let open = ''
  text.split("'").forEach((piece, index) => {
    if (index % 2 === 1) {
      open += `'${piece}'`
      return
    }
    const [first = '', ...rest] = piece.split(/\s+and\s+/i)
    open += first
    for (const next of rest) {
      parts.push(open)
      open = next
    }
  })
  return [...parts, open]
}

/** What a list of assignments is filtered by. */
export interface AssignmentFilter {
  atScope: boolean
  principalId: string | undefined
  assignedTo: string | undefined
}

/** @throws SallyportError ERR_ARM_INVALID_REQUEST. */
export function assignmentFilter(request: FastifyRequest): AssignmentFilter {
  const found = readFilter(request, ['atscope', 'principalid', 'assignedto'])
  return {
    atScope: found.has('atscope'),
    principalId: guid(found.get('principalid')),
    assignedTo: guid(found.get('assignedto')),
  }
}

/** What a list of roles is filtered by. */
export interface RoleFilter {
  name: string | undefined
  type: string | undefined
  below: boolean
}

/** @throws SallyportError ERR_ARM_INVALID_REQUEST. */
export function roleFilter(request: FastifyRequest): RoleFilter {
  const found = readFilter(request, ['rolename', 'type', 'atscopeandbelow', 'atscope'])
  return {
    name: found.get('rolename')?.toLowerCase(),
    type: found.get('type')?.toLowerCase(),
    below: found.has('atscopeandbelow'),
  }
}

function guid(text: string | undefined): string | undefined {
  if (text === undefined || isGuid(text)) return text?.toLowerCase()
  throw new SallyportError('ERR_ARM_INVALID_REQUEST', 'a principal id in $filter must be a GUID', {
    target: '$filter',
  })
}

function unsupported(known: readonly string[]): SallyportError {
  return new SallyportError(
    'ERR_ARM_INVALID_REQUEST',
    `this $filter is not supported; this list knows ${known.join(', ')}, joined by 'and'`,
    { target: '$filter' },
  )
}
