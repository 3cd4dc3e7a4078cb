/**
 * `sallyport version`.
 * @module
 */
import { isSallyportError, version } from '@sallyport/protocol'
import { readProfile } from '../credentials/profile.ts'
import { chosenOrigin, dialSettings } from '../hub/session.ts'
import { hubVersion } from '../hub/hub-version.ts'
import { createTransport } from '../hub/transport.ts'
import { column } from '../output/table.ts'
import type { Command, CommandContext } from './command.ts'

/** Prints the versions of CLI and hub; a hub that does not answer is no failure. */
export const versionCommand: Command = {
  summary: 'versions of CLI and hub',
  options: [{ long: 'client', summary: 'do not ask the hub' }],
  examples: [
    { what: 'CLI and hub', line: 'sallyport version' },
    { what: 'CLI only, fast', line: 'sallyport --version' },
  ],
  run: async (context) => {
    const client = {
      version,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    }
    const hub = context.flags.on('client') ? undefined : await askHub(context)
    const rows = [
      { part: 'client', version, detail: `node ${client.node}` },
      ...(hub === undefined ? [] : [{ part: 'hub', version: hub.version ?? '?', detail: hub.url }]),
    ]
    if (context.format === 'table' && context.flags.text('query') === undefined) {
      await context.print(rows, [
        column('PART', 'part'),
        column('VERSION', 'version'),
        column('WHERE', 'detail'),
      ])
    } else {
      await context.print({ client, hub: hub ?? null })
    }
    return 0
  },
}

async function askHub(
  context: CommandContext,
): Promise<{ url: string; version: string | null } | undefined> {
  const profile = readProfile(context.directories.config)
  const origin = chosenOrigin(context, profile)
  if (origin === undefined) return undefined
  const dial = dialSettings(context.env, profile.hubs[origin]?.ca)
  const transport = createTransport({ origin, dial, trace: context.trace })
  try {
    return { url: origin, version: (await hubVersion(transport, context.signal)) ?? null }
  } catch (error) {
    if (!isSallyportError(error) || context.signal.aborted) throw error
    context.warn(`${error.message}${error.why === undefined ? '' : `: ${error.why}`}`)
    return { url: origin, version: null }
  } finally {
    await transport.close()
  }
}
