/**
 * The error registry and its documentation say the same; the renderings are what kubectl and ARM clients read.
 * @module
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  SallyportError,
  errorRegistry,
  isSallyportError,
  toArmError,
  toKubernetesStatus,
} from '@sallyport/protocol'

const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
const rows = page.split('\n').filter((line) => line.startsWith('| `ERR_'))

describe('docs/errors.md', () => {
  it('has one row for each code, with its status, reason, exit code and remedy', () => {
    const expected = Object.entries(errorRegistry).map(
      ([code, { status, reason, exit, retryable, remedy }]) =>
        `| \`${code}\` | ${status} | ${reason} | ${exit} | ${retryable ? 'yes' : 'no'} | ${remedy.replaceAll('|', '\\|')} |`,
    )
    expect(rows.map((row) => row.replace(/ +/g, ' '))).toEqual(expected)
  })
})

describe('SallyportError', () => {
  const error = new SallyportError('ERR_CLUSTER_OFFLINE', "cluster 'x' is offline", {
    why: 'no listener',
    requestId: 'id-1',
  })

  it('renders as an ARM envelope', () => {
    expect(toArmError(error)).toEqual({
      error: {
        code: 'ClusterOffline',
        message: "cluster 'x' is offline",
        additionalInfo: [
          {
            type: 'SallyportError',
            info: {
              code: 'ERR_CLUSTER_OFFLINE',
              remedy: errorRegistry.ERR_CLUSTER_OFFLINE.remedy,
              why: 'no listener',
              requestId: 'id-1',
            },
          },
        ],
      },
    })
  })

  it('renders as a Kubernetes Status', () => {
    expect(toKubernetesStatus(error)).toMatchObject({
      kind: 'Status',
      code: 503,
      status: 'Failure',
    })
    expect(toKubernetesStatus(error).message).toContain('request id id-1')
  })

  it('is recognised by shape, and nothing else is', () => {
    expect(isSallyportError(error)).toBe(true)
    expect(isSallyportError(new Error('x'))).toBe(false)
    expect(
      isSallyportError(Object.assign(new Error('x'), { name: 'SallyportError', code: 'ERR_NONE' })),
    ).toBe(false)
  })

  it('keeps remedies free of a final period, so that they read as commands', () => {
    for (const { remedy } of Object.values(errorRegistry)) expect(remedy).not.toMatch(/[.;]$/)
  })
})
