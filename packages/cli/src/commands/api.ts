/**
 * `sallyport api METHOD PATH`: any call of the hub's API.
 * @module
 */
import { readFileSync } from 'node:fs'
import { SallyportError } from '@sallyport/protocol'
import { fileError } from '../credentials/file-error.ts'
import { openHub } from '../hub/session.ts'
import type { ApiCall } from '../hub/hub-client.ts'
import { write } from '../output/printer.ts'
import { secretFromStdin } from './secret-input.ts'
import type { Command, CommandContext } from './command.ts'

const methods = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE', 'HEAD'] as const

/** Sends one call and prints the answer as it came. */
export const api: Command = {
  summary: 'call the API of the hub',
  description: [
    'Signs the call, adds api-version when the path has none, and puts {subscription} in.',
    'The answer is printed as it is: properties are not flattened.',
  ],
  arguments: [
    { name: 'method', required: true, summary: methods.join(', '), complete: methods },
    { name: 'path', required: true, summary: 'path on the hub' },
  ],
  options: [
    {
      long: 'body',
      short: 'b',
      value: 'JSON',
      summary: 'body; @FILE or - (stdin)',
      complete: 'file',
    },
  ],
  examples: [
    {
      what: 'the raw list of clusters',
      line: 'sallyport api GET /subscriptions/{subscription}/providers/Microsoft.Kubernetes/connectedClusters',
    },
    {
      what: 'a tag',
      line: `sallyport api PATCH "$ARM_ID_CLUSTER" --body '{"tags":{"owner":"shop"}}'`,
    },
  ],
  run: async (context) => {
    const { flags, signal } = context
    const method = checkedMethod(flags.required('method', 'METHOD'))
    const body = await readBody(context)
    await using hub = await openHub(context)
    const path = flags.required('path', 'PATH').replaceAll('{subscription}', hub.subscriptionId)
    if (!path.startsWith('/')) {
      throw new SallyportError('ERR_USAGE', `'${path}' is not a path on the hub`, {
        remedy: 'start it with /, for example /subscriptions',
      })
    }
    const response = await hub.client.call({
      method,
      path,
      signal,
      ...(body === undefined ? {} : { body }),
    })
    context.detail(`status ${response.status}, request id ${response.requestId}`)
    if (response.text === '') return 0
    const isJson = response.headers['content-type']?.includes('json') === true
    if (isJson) await context.print(JSON.parse(response.text))
    else await write(context.stdout, response.text)
    return 0
  },
}

function checkedMethod(text: string): ApiCall['method'] {
  const method = methods.find((name) => name === text.toUpperCase())
  if (method !== undefined) return method
  throw new SallyportError('ERR_USAGE', `'${text}' is not a method`, {
    remedy: `use one of ${methods.join(', ')}`,
  })
}

async function readBody(context: CommandContext): Promise<unknown> {
  const given = context.flags.text('body')
  if (given === undefined) return undefined
  const text =
    given === '-'
      ? await secretFromStdin(context.stdin, context.signal)
      : given.startsWith('@')
        ? readText(given.slice(1))
        : given
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new SallyportError('ERR_USAGE', '--body is not JSON', { cause })
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError(path, 'read', error)
  }
}
