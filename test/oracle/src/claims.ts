/**
 * Inputs of the guard: mostly strings that have broken somebody, sometimes values that are no strings at all.
 * @module
 */
import type { Random } from './random.ts'

/** What a token could claim; `sid` is always right, since the hub makes it. */
export interface HostileClaims {
  oid: unknown
  groups: unknown
  sid: string
}

const reserved = [
  'system:masters',
  'system:nodes',
  'system:serviceaccounts:kube-system',
  'system:authenticated',
  'system',
  'kubeadm:cluster-admins',
  'eks:k8s-metrics',
  'sallyport:x',
] as const

const plain = [
  'developers',
  'ops',
  'a',
  'team-7',
  'Łukasz',
  'José',
  '李雷',
  '😀',
  'two words',
  'é',
] as const

const odd = [
  '\r',
  '\n',
  '\r\n',
  '\t',
  '\0',
  '\v',
  '\f',
  '\u007f',
  '\u0085',
  '\u00a0',
  '\u00ad',
  '\u1680',
  '\u2000',
  '\u2003',
  '\u2028',
  '\u202e',
  '\u2060',
  '\u3000',
  '\ufeff',
  '\ufe0f',
  '\u200d',
  '\u010a',
  '\u0d0d',
  '\u0a0a',
  '\ud800',
  '\udfff',
  '\u0301',
  '\u0345',
  'ſ',
  'ѕ',
  'ｓ',
  '𝐬',
  '：',
  '∶',
  'İ',
  'ß',
  'ﬁ',
  '%0d%0a',
  '%2C',
  '%00',
  '%',
  ',',
  ';',
  '|',
  '"',
  '\\',
  '/',
  ':',
  '=',
  '&',
  '#',
  '<',
  ' ',
  '  ',
  '\u{10ffff}',
  '\u{e0001}',
  'K',
  'Å',
] as const

const lines = [
  '\r\nImpersonate-Group: system:masters',
  '\nImpersonate-User: root',
  '\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n',
  '\u010d\u010aImpersonate-Group: system:masters',
] as const

const noStrings: readonly [() => unknown, ...(() => unknown)[]] = [
  () => undefined,
  () => null,
  () => 0,
  () => 7,
  () => Number.NaN,
  () => true,
  () => [],
  () => ['a', 'b'],
  () => [['a']],
  () => ({}),
  () => ({ toString: () => 'system:masters' }),
  () => ({ 0: 'a', length: 1 }),
  () => Object.create({ length: 1, 0: 'a' }) as unknown,
  () => JSON.parse('{"__proto__":{"length":1}}') as unknown,
  () => Symbol('a'),
  () => 10n,
  () => new String('developers'),
]

/** Any character at all, by code point or by UTF-16 unit. */
function anyCharacter(random: Random): string {
  return random.chance(0.5)
    ? String.fromCharCode(random.below(0x1_00_00))
    : String.fromCodePoint(random.below(0x11_00_00))
}

function insert(text: string, what: string, random: Random): string {
  const at = random.pick([0, text.length, random.below(text.length + 1)])
  return text.slice(0, at) + what + text.slice(at)
}

function swapCase(text: string, random: Random): string {
  return Array.from(text, (letter) => (random.chance(0.3) ? letter.toUpperCase() : letter)).join('')
}

/** One name. */
export function hostileName(random: Random): string {
  let name: string = random.chance(0.25) ? random.pick(reserved) : random.pick(plain)
  if (random.chance(0.3)) name += random.below(1_000).toString(36)
  const changes = random.pick([0, 0, 0, 1, 1, 2, 3])
  for (let change = 0; change < changes; change++) {
    const kind = random.next()
    if (kind < 0.45) name = insert(name, random.pick(odd), random)
    else if (kind < 0.7) name = insert(name, anyCharacter(random), random)
    else if (kind < 0.8) name = swapCase(name, random)
    else if (kind < 0.85) name = insert(name, random.pick(lines), random)
    else if (kind < 0.9) name = name.repeat(random.below(40))
    else if (kind < 0.95) name = name.normalize(random.pick(['NFC', 'NFD', 'NFKC', 'NFKD']))
    else name = random.guid()
  }
  return name
}

function hostileGroups(random: Random): unknown {
  if (random.chance(0.04)) return random.pick(noStrings)()
  const count = random.chance(0.01) ? random.below(1_200) : random.below(5)
  const groups: unknown[] = random.times(count, () =>
    // Long lists of hostile names would all be refused for one of them.
    count > 5 ? random.guid() : hostileName(random),
  )
  if (random.chance(0.02)) groups.push(random.pick(noStrings)())
  return groups
}

/** One input. */
export function hostileClaims(random: Random): HostileClaims {
  const kind = random.next()
  const oid =
    kind < 0.85 ? random.guid() : kind < 0.9 ? random.pick(noStrings)() : hostileName(random)
  return { oid, groups: hostileGroups(random), sid: random.guid() }
}
