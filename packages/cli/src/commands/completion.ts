/**
 * `sallyport completion SHELL`.
 * @module
 */
import { SallyportError } from '@sallyport/protocol'
import { write } from '../output/printer.ts'
import { completionScripts, shells } from './completion-scripts.ts'
import type { Command } from './command.ts'

/** Prints the script that asks `__complete`; changes no file. */
export const completion: Command = {
  summary: 'print a completion script: bash, zsh, fish, powershell',
  arguments: [{ name: 'shell', required: true, summary: shells.join(', '), complete: shells }],
  options: [],
  examples: [
    { what: 'bash, this shell', line: 'source <(sallyport completion bash)' },
    { what: 'zsh, all shells', line: `sallyport completion zsh > "\${fpath[1]}/_sallyport"` },
    { what: 'fish', line: 'sallyport completion fish > ~/.config/fish/completions/sallyport.fish' },
    {
      what: 'PowerShell',
      line: 'sallyport completion powershell | Out-String | Invoke-Expression',
    },
  ],
  run: async ({ flags, stdout }) => {
    const wanted = flags.required('shell', 'SHELL')
    const shell = shells.find((name) => name === wanted)
    if (shell === undefined) {
      throw new SallyportError('ERR_USAGE', `there is no completion for '${wanted}'`, {
        remedy: `use one of ${shells.join(', ')}`,
      })
    }
    await write(stdout, completionScripts[shell])
    return 0
  },
}
