/**
 * Kubeconfigs of others survive byte for byte, whatever their style.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { currentContext, entryNames, parseKubeconfig } from '../../src/kubeconfig/document.ts'
import { insertEntries } from '../../src/kubeconfig/insert.ts'
import { markOf, proxyEntries } from '../../src/kubeconfig/proxy-entry.ts'
import { removeEntries, restoreCurrent } from '../../src/kubeconfig/remove.ts'
import { applyEdits } from '../../src/kubeconfig/text-edit.ts'
import { randomKubeconfig } from './random-kubeconfig.ts'

const access = (context: string, proxyId = 'id-1') => ({
  context,
  server: 'https://127.0.0.1:47011',
  ca: 'CA',
  clientCertificate: 'CERT',
  clientKey: 'KEY',
  proxyId,
  pid: 7,
})
const insert = (text: string, context = 'prod', current: string | undefined = context) =>
  insertEntries(parseKubeconfig('config', text), {
    entries: proxyEntries(access(context)),
    ...(current === undefined ? {} : { current }),
  })
const isOurs = (entry: Record<string, unknown>, list: string) => markOf(entry, list) !== undefined

const samples: Record<string, string> = {
  empty: '',
  'comment only': '# nothing yet\n',
  'document start': '---\n',
  'as kubectl writes it':
    'apiVersion: v1\nclusters:\n- cluster:\n    server: https://10.0.0.1:6443\n  name: mine\ncontexts:\n- context:\n    cluster: mine\n    user: me\n  name: mine\ncurrent-context: mine\nkind: Config\npreferences: {}\nusers:\n- name: me\n  user:\n    token: abc\n',
  'empty lists':
    '# kept\napiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\ncurrent-context: ""\n',
  'null lists': 'apiVersion: v1\nclusters:\ncontexts: null # none\nusers: ~\nkind: Config\n',
  'no lists, no final line break': 'apiVersion: v1\nkind: Config',
  'indented lists, comments everywhere':
    '# top\napiVersion: v1 # one\nclusters: # two\n  # three\n  - name: "mine" # four\n    cluster: {server: "https://10.0.0.1"} # five\n  # six\ncontexts:\n  - context: {cluster: mine, user: me}\n    name: mine\nusers:\n  - name: me\n    user:\n      client-key-data: >-\n        abc\n        def\n# seven\ncurrent-context:   mine   # eight\n# nine',
  'flow lists':
    'clusters: [{name: mine, cluster: {server: "https://10.0.0.1"}}]\ncontexts: [ {name: mine, context: {cluster: mine, user: me}}, ]\nusers: [{name: me, user: {}}]\ncurrent-context: mine\n',
  json: '{"apiVersion":"v1","clusters":[{"name":"mine","cluster":{"server":"https://10.0.0.1"}}],"contexts":[],"users":null,"current-context":"mine"}',
  'json of nothing': '{}',
  'windows line ends':
    'apiVersion: v1\r\nclusters:\r\n- name: mine\r\n  cluster:\r\n    server: https://10.0.0.1\r\ncontexts: []\r\nusers: []\r\n',
  'block scalar at the end':
    'clusters:\n- name: mine\n  cluster:\n    certificate-authority-data: |\n      abc\n      def\n',
  anchors:
    'clusters:\n- &c\n  name: mine\n  cluster: &s {server: "https://10.0.0.1"}\n- name: two\n  cluster: *s\n',
  'byte order mark': '\ufeffapiVersion: v1\nclusters: []\n',
  'indented root': '  apiVersion: v1\n  clusters:\n  - name: mine\n    cluster: {}\n',
}

describe('insert and undo', () => {
  it.each(Object.keys(samples))('%s: readable with, byte for byte the same without', (name) => {
    const text = samples[name] ?? ''
    const { text: during, reverse } = insert(text)
    const config = parseKubeconfig('config', during)
    expect(entryNames(config, 'contexts')).toContain('prod')
    expect(entryNames(config, 'clusters')).toContain('sallyport-prod')
    expect(entryNames(config, 'users')).toContain('sallyport-prod')
    expect(currentContext(config)).toBe('prod')
    expect(applyEdits(during, reverse).text).toBe(text)
    const before = (parse(text) ?? {}) as Record<string, unknown>
    const after = parse(removeEntries(config, isOurs)) as Record<string, unknown>
    for (const list of ['clusters', 'contexts', 'users'])
      expect(after[list] ?? []).toEqual(before[list] ?? [])
  })

  it('every foreign line survives in order', () => {
    const text = samples['indented lists, comments everywhere'] ?? ''
    const during = insert(text).text
    let at = 0
    for (const line of text.split('\n').filter((one) => !one.startsWith('current-context'))) {
      at = during.indexOf(line, at)
      expect(at, line).toBeGreaterThanOrEqual(0)
    }
    expect(during).toContain('current-context: prod   # eight')
  })

  it('property: 500 random kubeconfigs of every style', () => {
    for (let seed = 1; seed <= 500; seed++) {
      const text = randomKubeconfig(seed)
      const first = insert(text, 'one')
      const second = insert(first.text, 'two')
      const third = parseKubeconfig('config', second.text)
      expect(applyEdits(second.text, second.reverse).text, `seed ${seed}`).toBe(first.text)
      expect(applyEdits(first.text, first.reverse).text, `seed ${seed}`).toBe(text)
      const before = parse(text) as Record<string, unknown>
      const after = parse(removeEntries(third, isOurs)) as Record<string, unknown>
      for (const list of ['clusters', 'contexts', 'users'])
        expect(after[list] ?? [], `seed ${seed}`).toEqual(before[list] ?? [])
    }
  })
})

describe('removal from a file others changed', () => {
  it('takes only the marked entries; other bytes stay', () => {
    const text = samples['as kubectl writes it'] ?? ''
    const changed = insert(text).text.replace('token: abc', 'token: changed # by hand')
    const without = removeEntries(parseKubeconfig('config', changed), isOurs)
    expect(without).toContain('token: changed # by hand')
    expect(without).not.toContain('sallyport')
  })
  it('sets current-context back when it is still ours and the old one is there', () => {
    const during = insert(samples['as kubectl writes it'] ?? '').text
    const back = restoreCurrent('config', during, { from: 'prod', previous: 'mine' })
    expect(currentContext(parseKubeconfig('config', back))).toBe('mine')
    const gone = restoreCurrent('config', during, { from: 'prod', previous: 'deleted' })
    expect(currentContext(parseKubeconfig('config', gone))).toBeUndefined()
    expect(restoreCurrent('config', back, { from: 'prod', previous: 'x' })).toBe(back)
  })
})

describe('T-KCFG-1', () => {
  it.each(['../../x', 'a: b', '"q"', "it's", '- x', '#c', 'true', '1.0', 'é', '{a}', 'x\ny', '&a'])(
    'context %j stays a text',
    (context) => {
      const config = parse(insert('', context).text) as {
        contexts: { name: string; context: { cluster: string } }[]
        'current-context': string
      }
      expect(config.contexts[0]?.name).toBe(context)
      expect(config['current-context']).toBe(context)
      expect(config.contexts[0]?.context.cluster).toBe(`sallyport-${context}`)
    },
  )
})

describe('what is no kubeconfig', () => {
  it.each([
    'clusters: [unclosed\n',
    'just a sentence',
    '- a\n- list\n',
    'clusters: 7\n',
    '\u0000\u0001',
    'a: 1\na: 2\n',
    'users:\n- user: {}\n',
    'current-context: [x]\n',
    'a: 1\n---\nb: 2\n',
  ])('%j is refused with the name of the file', (text) => {
    expect(() => parseKubeconfig('/some/config', text)).toThrow(
      expect.objectContaining({ code: 'ERR_KUBECONFIG', target: '/some/config' }),
    )
  })
})
