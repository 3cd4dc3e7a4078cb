import { describe, expect, test } from 'vitest'
import { fold, isSallyportError, limits } from '@sallyport/protocol'
import { guard, narrow, type Identity } from '../../src/guard/guard.ts'
import { impersonationHeaders } from '../../src/guard/impersonation-headers.ts'
import { oid, sid } from '../rig/rig.ts'

function verdict(claims: object): Identity | 'refused' {
  try {
    return guard(claims)
  } catch (error) {
    if (isSallyportError(error) && error.code === 'ERR_GUARD_IDENTITY') return 'refused'
    throw error
  }
}

const withGroup = (group: unknown): Identity | 'refused' => verdict({ oid, sid, groups: [group] })

/** The name is refused as a group and as a user alike. */
function expectRefused(name: unknown): void {
  expect(withGroup(name), JSON.stringify(name)).toBe('refused')
  expect(verdict({ oid: name, sid, groups: [] }), JSON.stringify(name)).toBe('refused')
}

describe('reserved names', () => {
  test.each([
    ['X020', 'system:masters'],
    ['X021', ' system:masters'],
    ['X021', '\tsystem:masters'],
    ['X021', 'system:masters '],
    ['X021', '\u00a0system:masters'],
    ['X021', '\u2003system:masters'],
    ['X021', '\ufeffsystem:masters'],
    ['X022', 'SYSTEM:MASTERS'],
    ['X022', 'System:masters'],
    ['X023', 'ſystem:masters'],
    ['X023', 'ｓｙｓｔｅｍ：ｍａｓｔｅｒｓ'],
    ['X023', '𝐬𝐲𝐬𝐭𝐞𝐦:masters'],
    ['X024', 'ѕуѕtem:masters'],
    ['X024', 'ѕуѕтем:masters'],
    ['X024', 'sуstem∶masters'],
    ['X024', 'sysτεm:masters'],
    ['X025', 'sys\u200dtem:masters'],
    ['X025', 'sys\u00adtem:masters'],
    ['X025', 'sys\ufe0ftem:masters'],
    ['X026', 's\u0301ystem:masters'],
    ['X026', 'ś\u0323ystem:masters'],
    ['X026', 'e\u0301'],
    ['X027', '\u202esretsam:metsys'],
    ['X027', 'a\u202eb'],
    ['X028', '\ud800'],
    ['X028', 'a\udfffb'],
    ['X029', 'system:anonymous'],
    ['X029', 'system:kube-controller-manager'],
    ['X029', 'system:node:n1'],
    ['X029', 'system:serviceaccount:kube-system:default'],
    ['X029', 'system'],
    ['X030', `system:${'x'.repeat(10_240)}`],
    ['T-IMP-2', 'kubeadm:cluster-admins'],
    ['T-IMP-2', 'alias:masters'],
    ['T-IMP-2', 'eks:k8s-metrics'],
    ['T-IMP-2', 'aks-admins'],
    ['T-IMP-2', 'cc:x'],
    ['T-IMP-2', 'sallyport:x'],
    ['X038', 'a,b'],
    ['X038', 'a\nb'],
    ['X039', 'a\r\nImpersonate-Group: system:masters'],
    ['X040', 'a\u0000b'],
    ['X040', 'a\u007fb'],
    ['X040', 'a\u0085b'],
    ['X040', 'a\u2028b'],
    ['guard', 'x'.repeat(257)],
    ['guard', '漢'.repeat(86)],
  ])('%s %j is refused', (_, name) => {
    expectRefused(name)
  })

  test('T-IMP-3 a code point that is, or could pass for, the letter it replaces is refused', () => {
    const word = 'system:'
    const allowed: string[] = []
    for (let code = 0x80; code <= 0x1_ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      // One position for each code point, every position in turn: 130 000 names.
      const at = code % word.length
      const character = String.fromCodePoint(code)
      const folded = fold(character)
      // What folds to another letter, to several or to none spells another word.
      if (Array.from(folded).length !== 1 || (folded <= '\u007f' && folded !== word[at])) continue
      const name = `${word.slice(0, at)}${character}${word.slice(at + 1)}masters`
      if (withGroup(name) !== 'refused') allowed.push(name)
    }
    expect(allowed).toEqual([])
  })

  test('T-IMP-3 every character that folds to a letter of system: is refused in its place', () => {
    const word = 'system:'
    let tried = 0
    for (let code = 0x80; code <= 0x1_ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      const character = String.fromCodePoint(code)
      for (const [at, letter] of Array.from(word).entries())
        if (fold(character) === letter) {
          tried++
          expectRefused(`${word.slice(0, at)}${character}${word.slice(at + 1)}masters`)
          expectRefused(`${character}${word.slice(1)}masters`)
        }
    }
    expect(tried).toBeGreaterThan(150)
  })
})

describe('shapes', () => {
  test.each([
    undefined,
    null,
    '',
    ' ',
    0,
    false,
    Number.NaN,
    [],
    {},
    ['a', 'b'],
    'x'.repeat(10_000_000),
  ])('X031 X032 T-IMP-4 user %o is refused', (user) => {
    expect(verdict({ oid: user, sid, groups: [] })).toBe('refused')
    expect(withGroup(user)).toBe('refused')
  })

  test('X031 a missing user is refused', () => {
    expect(verdict({ sid, groups: [] })).toBe('refused')
    expect(verdict({})).toBe('refused')
  })

  test.each(['admins', {}, { 0: 'a', length: 1 }, [['a']], [1], [null], null, 7, true])(
    'X032 groups %o are refused',
    (groups) => {
      expect(verdict({ oid, sid, groups })).toBe('refused')
    },
  )

  test('X033 no groups are fine', () => {
    expect(guard({ oid, sid })).toMatchObject({ user: oid, groups: [] })
    expect(guard({ oid, sid, groups: [] })).toMatchObject({ groups: [] })
  })

  test('X034 a reference instead of groups is refused', () => {
    expect(verdict({ oid, sid, _claim_names: { groups: 'src1' } })).toBe('refused')
  })

  test('X036 any number of groups passes, sorted; nothing is cut off; above 20,000 none does', () => {
    const groups = (count: number, size = 12): string[] =>
      Array.from({ length: count }, (_, index) => String(index).padStart(size, 'g'))
    for (const list of [groups(500, 92), groups(501), groups(500, 200), groups(10_000)])
      expect(guard({ oid, sid, groups: list }).groups).toEqual(list.sort())
    expect(verdict({ oid, sid, groups: groups(limits.groupsPerPrincipal + 1) })).toBe('refused')
  })

  test('a narrowed identity has fewer groups and nothing else', () => {
    const identity = guard({ oid, sid, groups: ['a', 'b', 'c'] })
    const narrowed = narrow(identity, (group) => group !== 'b')
    expect(narrowed).toEqual({ ...identity, groups: ['a', 'c'] })
    expect(Object.isFrozen(narrowed) && Object.isFrozen(narrowed.groups)).toBe(true)
  })

  test('X037 a repeated group is refused, one that differs in case is another', () => {
    expect(verdict({ oid, sid, groups: ['a', 'a'] })).toBe('refused')
    expect(guard({ oid, sid, groups: ['a', 'A'] }).groups).toEqual(['A', 'a'])
  })

  test('X041 names of other scripts are fine as groups', () => {
    const groups = ['Łukasz', 'José', '李雷', '😀', 'Александр', 'Москва', 'two words', 'é ж 漢']
    expect(guard({ oid, sid, groups }).groups).toEqual(groups.sort())
  })

  test.each(['alice', 'alice@example.com', 'a@b@c', 'users:alice', `${oid} `, `{${oid}}`])(
    'X043 X047 user %j without prefix is refused',
    (user) => {
      expect(verdict({ oid: user, sid })).toBe('refused')
    },
  )

  test('X044 inherited claims are none', () => {
    expect(verdict(Object.create({ oid, sid, groups: [] }) as object)).toBe('refused')
    const polluted: unknown = JSON.parse(`{"__proto__":{"oid":"${oid}"},"sid":"${sid}"}`)
    expect(verdict(polluted as object)).toBe('refused')
  })

  test('X046 only the exact claim names count', () => {
    expect(guard({ oid, sid, Groups: ['a'], GROUPS: ['b'] } as object).groups).toEqual([])
  })

  test('X053 later changes of the claims change nothing', () => {
    const groups = ['b', 'a']
    const claims = { oid, sid, groups }
    const identity = guard(claims)
    groups.push('system:masters')
    claims.oid = 'root'
    expect(identity).toMatchObject({ user: oid, groups: ['a', 'b'] })
    expect(Object.isFrozen(identity) && Object.isFrozen(identity.groups)).toBe(true)
  })

  test.each([undefined, '', 'x', `${sid}\r\nX: y`, [sid]])('a session id %o is refused', (id) => {
    expect(verdict({ oid, sid: id })).toBe('refused')
  })
})

describe('headers', () => {
  test('one user, sorted groups, the session; UTF-8 bytes as Latin-1', () => {
    const headers = impersonationHeaders(guard({ oid, sid, groups: ['李雷', 'a;b|"c"%2C\\'] }))
    expect(headers).toEqual([
      'Impersonate-User',
      oid,
      'Impersonate-Group',
      'a;b|"c"%2C\\',
      'Impersonate-Group',
      Buffer.from('李雷').toString('latin1'),
      'Impersonate-Extra-sallyport.dev%2Fsid',
      sid,
    ])
  })

  test('T-IMP-5 T-IMP-8 nothing empty and nothing beyond Latin-1 can be written', () => {
    const forged = { ...guard({ oid, sid }), user: ' ' }
    expect(() => impersonationHeaders(forged)).toThrow(/cannot be written/)
    for (const name of ['é', 'ж', '漢', '😀', 'Ċ', '഍'])
      expect(
        withGroup(name) === 'refused'
          ? 'a'
          : impersonationHeaders(guard({ oid, sid, groups: [name] })).join(),
      ).toMatch(/^[\x20-\xff]*$/)
  })
})
