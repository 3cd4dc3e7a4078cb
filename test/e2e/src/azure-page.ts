/**
 * The how-to page of Azure Arc that this project implements, when it lies beside the checkout; it is not part of the project.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { commandBlocks, type CommandBlock } from './command-blocks.ts'

/** Where the page is looked for. */
export const azurePage = fileURLToPath(
  new URL('../../../../shared/seed/cluster-connect.md', import.meta.url),
)

/** Whether the page is there to be run. */
export const hasAzurePage = existsSync(azurePage)

/** Commands that install the Azure CLI extension: there is nothing to install here. */
const leftOut = /^\s*az extension (?:add|update)/m

/** The blocks of the page as a reader who chose the Bash tab sees them, `az` being `sallyport`. */
export function azureBlocks(): CommandBlock[] {
  return commandBlocks(readFileSync(azurePage, 'utf8'))
    .filter(({ headings }) => !headings.some((heading) => heading.includes('tab/azure-powershell')))
    .filter(({ text }) => !leftOut.test(text))
    .map((block) => ({ ...block, text: block.text.replaceAll(/\baz (?=[a-z])/g, 'sallyport ') }))
}
