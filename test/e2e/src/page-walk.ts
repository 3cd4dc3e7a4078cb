/**
 * A page of the documentation, run as its readers would run it: each block in the shell of who is meant.
 * @module
 */
import { expect } from 'vitest'
import type { CommandBlock } from './command-blocks.ts'
import { fillIn } from './command-blocks.ts'
import { eventually } from './process.ts'
import type { Shell } from './shell.ts'

/** Who runs blocks, by the name in `as=…`, and what stands for the placeholders. */
export interface Walk {
  shells: Readonly<Record<string, Shell>>
  values: Readonly<Record<string, string>>
  /** Completes a sign-in that the block of commands has begun. */
  signIn: () => Promise<void>
}

/** Runs blocks in order; each must end as its directives say, else the error names the line of the page. */
export async function walk(blocks: readonly CommandBlock[], options: Walk): Promise<void> {
  for (const block of blocks) {
    try {
      await runBlock(block, options)
    } catch (cause) {
      throw new Error(`line ${block.line}:\n${block.text}`, { cause })
    }
  }
}

async function runBlock(block: CommandBlock, options: Walk): Promise<void> {
  const { directives } = block
  const shell = options.shells[directives['as'] ?? '']
  if (shell === undefined) throw new Error(`nobody is named to run this block`)
  const text = fillIn(block.text, options.values)
  const { until } = directives
  if (until !== undefined) {
    await shell.background(text, new RegExp(until))
    return
  }
  const says = directives['says'] ?? ''
  if ('eventually' in directives) {
    await eventually(async () => {
      const { code, output } = await shell.run(text)
      return code === 0 && output.includes(says) ? output : undefined
    }, says)
    return
  }
  const [result] = await Promise.all([
    shell.run(text),
    'signs-in' in directives ? options.signIn() : undefined,
  ])
  expect(result).toMatchObject({
    code: Number(directives['fails'] ?? 0),
    output: expect.stringContaining(says) as string,
  })
  await share(shell, directives['shares']?.split(',') ?? [], options)
}

/** A value one person tells the others, such as an object id. */
async function share(from: Shell, names: readonly string[], { shells }: Walk): Promise<void> {
  for (const name of names) {
    const { output } = await from.run(`printf '%s' "$${name}"`)
    expect(output, name).not.toBe('')
    const quoted = `'${output.replaceAll("'", "'\\''")}'`
    for (const shell of Object.values(shells)) {
      if (shell !== from) await shell.run(`${name}=${quoted}`)
    }
  }
}
