/**
 * Kubeconfigs as people and programs leave them, by seed.
 * @module
 */

/** Mulberry32: small, and the same on every machine. */
function generator(seed: number): () => number {
  let state = seed * 0x9e3779b1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const bodies = { clusters: 'cluster', contexts: 'context', users: 'user' } as const

/** A valid kubeconfig in a random style: block, flow or JSON, indented or not, with comments, odd spaces and line ends. */
export function randomKubeconfig(seed: number): string {
  const random = generator(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const chance = (probability: number) => random() < probability
  if (chance(0.15)) return randomJson(pick, chance)
  const eol = chance(0.1) ? '\r\n' : '\n'
  const comment = () =>
    chance(0.3) ? `${pick([' ', '   '])}# ${pick(['mine', 'a: b', '- x', '[]'])}` : ''
  const own = () => (chance(0.2) ? [`${pick(['', '  '])}# line ${Math.floor(random() * 99)}`] : [])
  const blank = () => (chance(0.1) ? [''] : [])
  const scalar = () => pick(['abc', '"q: \\u00e9"', "'it''s'", '1', '~', '{a: 1}', '[]', 'x#y'])
  const list = (name: keyof typeof bodies): string[] => {
    const count = Math.floor(random() * 4)
    if (count === 0) return [`${name}:${pick(['', ' []', ' null', ' ~', '  [ ]'])}${comment()}`]
    const names = Array.from({ length: count }, (_item, index) => `${name}-${index}`)
    if (chance(0.15)) {
      const items = names.map((item) => `{name: ${item}, ${bodies[name]}: {}}`)
      return [`${name}: [${items.join(', ')}${chance(0.2) ? ',' : ''}]${comment()}`]
    }
    const indent = pick(['', '  ', '    '])
    return [
      `${name}:${comment()}`,
      ...names.flatMap((item) => [
        ...own(),
        `${indent}-${pick([' ', '  '])}name: ${item}${comment()}`.replace(/- {2}name/, '- name'),
        `${indent}  ${bodies[name]}:${comment()}`,
        `${indent}    key: ${scalar()}${comment()}`,
        ...(chance(0.2)
          ? [`${indent}    text: |`, `${indent}      one`, `${indent}      two`]
          : []),
        ...blank(),
      ]),
    ]
  }
  const parts = [
    ['apiVersion: v1'],
    ['kind: Config'],
    list('clusters'),
    list('contexts'),
    list('users'),
    [`current-context:${pick(['', ' x', ' "x"', '   x', " ''"])}${comment()}`],
    ['preferences: {}'],
  ].filter((_part, index) => index < 2 || chance(0.85))
  const shuffled = parts.map((part) => ({ part, key: random() })).sort((a, b) => a.key - b.key)
  const lines = shuffled.flatMap(({ part }) => [...own(), ...part, ...blank()])
  return lines.join(eol) + (chance(0.8) ? eol : '')
}

function randomJson(pick: <T>(items: readonly T[]) => T, chance: (p: number) => boolean): string {
  const value: Record<string, unknown> = { apiVersion: 'v1' }
  for (const [list, body] of Object.entries(bodies)) {
    if (chance(0.2)) continue
    value[list] = pick([
      null,
      [],
      [{ name: `${list}-0`, [body]: {} }],
      [
        { name: 'a', [body]: { k: 'v' } },
        { name: 'b', [body]: {} },
      ],
    ])
  }
  if (chance(0.6)) value['current-context'] = pick(['', 'a'])
  return JSON.stringify(value, undefined, pick([0, 2])) + pick(['', '\n'])
}
