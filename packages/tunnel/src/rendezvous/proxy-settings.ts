/**
 * The outbound HTTP proxy: from the environment, and for which hosts it is passed by.
 * @module
 */
import { BlockList, isIP, isIPv6 } from 'node:net'
import { SallyportError } from '@sallyport/protocol'

/** An HTTP CONNECT proxy, `http://[user:password@]host:port`, and the hosts that are dialled without it. */
export interface ProxySettings {
  url: string
  noProxy: string[]
}

/**
 * Proxy of the environment: HTTPS_PROXY, else ALL_PROXY, with NO_PROXY; the lower-case spelling wins, as in curl.
 * @throws SallyportError ERR_CONFIG_INVALID when the value is not an http URL.
 */
export function proxyFromEnvironment(env: NodeJS.ProcessEnv): ProxySettings | undefined {
  const read = (name: string): string | undefined =>
    [env[name.toLowerCase()], env[name]].find((value) => value !== undefined && value !== '')
  const text = read('HTTPS_PROXY') ?? read('ALL_PROXY')
  if (text === undefined) return undefined
  const url = text.includes('://') ? text : `http://${text}`
  parseProxyUrl(url)
  const noProxy = (read('NO_PROXY') ?? '').split(/[\s,]+/).filter((entry) => entry !== '')
  return { url, noProxy }
}

/** The proxy's URL. @throws SallyportError ERR_CONFIG_INVALID; it never shows the value, which may hold a password. */
export function parseProxyUrl(text: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'http:' && url.hostname !== '') return url
  throw new SallyportError('ERR_CONFIG_INVALID', 'the outbound proxy is not an http:// URL', {
    remedy: 'set HTTPS_PROXY to http://[user:password@]host:port',
  })
}

/** Whether `host:port` is dialled directly: NO_PROXY entries are `*`, a host (with its subdomains), `.suffix`, `host:port`, an address or CIDR. */
export function isProxyBypassed(noProxy: readonly string[], host: string, port: number): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '')
  return noProxy.some((entry) => matches(entry.toLowerCase(), name, port))
}

function matches(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return isInSubnet(entry, host)
  const [name, entryPort] = splitEntry(entry)
  if (entryPort !== undefined && entryPort !== port) return false
  if (isIP(name) !== 0 || isIP(host) !== 0) return name === host
  const suffix = name.replace(/^\*?\./, '')
  if (suffix === '') return false
  if (host.endsWith(`.${suffix}`)) return true
  return host === suffix && name === suffix
}

function splitEntry(entry: string): [string, number | undefined] {
  if (isIPv6(entry)) return [entry, undefined]
  const match = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry)
  const port = match?.[2]
  return [match?.[1] ?? entry, port === undefined ? undefined : Number(port)]
}

function isInSubnet(entry: string, host: string): boolean {
  const [network = '', bits = ''] = entry.split('/')
  const family = isIP(host)
  if (family === 0 || isIP(network) !== family || !/^\d{1,3}$/.test(bits)) return false
  const type = family === 6 ? 'ipv6' : 'ipv4'
  if (Number(bits) > (family === 6 ? 128 : 32)) return false
  const list = new BlockList()
  list.addSubnet(network, Number(bits), type)
  return list.check(host, type)
}
