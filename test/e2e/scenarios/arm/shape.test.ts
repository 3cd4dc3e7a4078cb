/**
 * The shape of the API as a client sees it on the wire.
 * @module
 */
import { expect } from 'vitest'
import { runAs } from '../../src/actors.ts'
import { lab } from '../../src/proxied.ts'
import { verifies } from '../../src/verifies.ts'

interface Answer {
  status: number
  headers: Record<string, string>
  body: Record<string, unknown>
  text: string
}

async function curl(path: string, args: string[] = []): Promise<Answer> {
  const { developer, hub } = lab()
  const result = await runAs(developer, [
    'curl',
    '-sS',
    '-i',
    '--path-as-is',
    '--cacert',
    hub.caFile,
    '--max-time',
    '20',
    ...args,
    `${hub.url}${path}`,
  ])
  expect(result, result.stderr).toMatchObject({ code: 0 })
  const split = result.stdout.lastIndexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = result.stdout.slice(0, split).split('\r\n')
  const text = result.stdout.slice(split + 4)
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 2),
    ]),
  )
  const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
  return { status: Number(statusLine.split(' ')[1]), headers, body, text }
}

async function bearer(): Promise<string[]> {
  const { hub } = lab()
  const form = [
    '-d',
    'grant_type=client_credentials',
    '-d',
    `client_id=${hub.clientId}`,
    '-d',
    `scope=${hub.url}/.default`,
  ]
  const { body } = await curl(`/${hub.tenantId}/oauth2/v2.0/token`, [
    ...form,
    '--data-urlencode',
    `client_secret=${hub.clientSecret}`,
  ])
  const token = body['access_token']
  if (typeof token !== 'string') throw new Error(`no token: ${JSON.stringify(body)}`)
  return ['-H', `Authorization: Bearer ${token}`]
}

const clusters = () =>
  `/subscriptions/${lab().hub.subscriptionId}/providers/Microsoft.Kubernetes/connectedClusters`

verifies('arm.errors', async () => {
  const auth = await bearer()
  const cases: [string, string[], number, string][] = [
    [`${clusters()}?api-version=2024-01-01`, [], 401, 'InvalidAuthenticationToken'],
    [
      `${clusters()}?api-version=2024-01-01`,
      ['-H', 'Authorization: Bearer nonsense'],
      401,
      'InvalidAuthenticationToken',
    ],
    ['/no/such/route?api-version=2024-01-01', auth, 404, 'NotFound'],
    [
      `/subscriptions/${lab().hub.subscriptionId}/resourceGroups/none/providers/Microsoft.Kubernetes/connectedClusters/none?api-version=2024-01-01`,
      auth,
      404,
      'ResourceGroupNotFound',
    ],
    [
      `/subscriptions/${lab().hub.subscriptionId}/resourcegroups/x?api-version=2021-04-01`,
      [...auth, '-X', 'PUT', '-H', 'Content-Type: application/json', '-d', '{"location":'],
      400,
      'InvalidRequestContent',
    ],
    [
      `/subscriptions/${lab().hub.subscriptionId}/resourcegroups/x?api-version=2021-04-01`,
      [...auth, '-X', 'PUT', '-H', 'Content-Type: application/json', '-d', '{}'],
      400,
      'InvalidRequestContent',
    ],
  ]
  for (const [path, args, status, code] of cases) {
    const answer = await curl(path, args)
    expect(answer, answer.text).toMatchObject({ status, body: { error: { code } } })
    expect(answer.headers['x-ms-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(answer.headers['x-ms-correlation-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  }
})

verifies('arm.api-versions', async () => {
  const auth = await bearer()
  for (const version of [
    '2021-03-01',
    '2021-10-01',
    '2024-01-01',
    '2024-07-01-preview',
    '2026-05-01',
  ]) {
    expect((await curl(`${clusters()}?api-version=${version}`, auth)).status).toBe(200)
  }
  const unknown = await curl(`${clusters()}?api-version=1999-01-01`, auth)
  expect(unknown).toMatchObject({
    status: 400,
    body: { error: { code: 'InvalidApiVersionParameter' } },
  })
  expect(unknown.text).toContain('2024-01-01')
  expect(await curl(clusters(), auth)).toMatchObject({
    status: 400,
    body: { error: { code: 'MissingApiVersionParameter' } },
  })
})

verifies('arm.case', async () => {
  const auth = await bearer()
  const plain = await curl(`${clusters()}?api-version=2024-01-01`, auth)
  for (const path of [
    clusters().toUpperCase().replace('/SUBSCRIPTIONS/', '//subscriptions/'),
    `/${clusters()}`,
    `${clusters().toLowerCase()}/`,
  ]) {
    const answer = await curl(`${path}?api-version=2024-01-01`, auth)
    expect(answer, answer.text).toMatchObject({ status: 200, body: plain.body })
  }
})

verifies('arm.metadata', async () => {
  const object = await curl('/metadata/endpoints?api-version=2022-09-01')
  expect(object.body).toMatchObject({
    resourceManager: expect.stringContaining(lab().hub.url) as unknown,
    authentication: { tenant: expect.any(String) as unknown },
  })
  const array = await curl('/metadata/endpoints?api-version=2019-05-01')
  expect(JSON.parse(array.text)).toEqual([
    expect.objectContaining({ resourceManager: expect.stringContaining(lab().hub.url) as unknown }),
  ])
})

verifies('hub.health', async () => {
  expect((await curl('/healthz')).status).toBe(200)
  expect((await curl('/readyz')).status).toBe(200)
  const metrics = await curl('/metrics')
  expect(metrics.status).toBe(200)
  expect(metrics.text).toContain('process_resident_memory_bytes')
  expect(metrics.text).not.toContain('sdk-a')
})

verifies('hub.openapi', async () => {
  const { body } = await curl('/sallyport/v1/openapi.json')
  expect(body['openapi']).toMatch(/^3\./)
  expect(
    Object.keys(body['paths'] as object)
      .join(' ')
      .toLowerCase(),
  ).toContain('listclusterusercredential')
})
