/**
 * The result of a command on stdout, in the format asked for.
 * @module
 */
import { finished, type Writable } from 'node:stream'
import type { OutputFormat } from './format.ts'
import type { Column } from './table.ts'
import { terminalColumns, type Style } from './style.ts'

/** How results are printed. */
export interface PrinterOptions {
  stdout: Writable
  format: OutputFormat
  query: string | undefined
  style: Style
}

/** Renders a value; `columns` describe the table of an unqueried result. */
export async function render(
  value: unknown,
  columns: Column[] | undefined,
  options: PrinterOptions,
): Promise<string> {
  const { query: expression, format } = options
  if (format === 'none') return ''
  const result =
    expression === undefined ? value : (await import('./query.ts')).query(value, expression)
  if (format === 'tsv') return (await import('./tsv.ts')).renderTsv(result)
  if (format === 'yaml') return (await import('./yaml.ts')).renderYaml(result)
  if (format === 'table') {
    return (await import('./table.ts')).renderTable(result, {
      columns: expression === undefined ? columns : undefined,
      width: terminalColumns(options.stdout),
      ellipsis: options.style.ellipsis,
    })
  }
  const json = await import('./json.ts')
  return format === 'jsonc'
    ? json.renderColouredJson(result, options.style)
    : json.renderJson(result)
}

/** Writes and waits until the stream took it; a reader that went away (`| head`) is no error. */
export async function write(stream: Writable, text: string): Promise<void> {
  if (text === '' || stream.destroyed || stream.writableEnded) return
  await new Promise<void>((resolve, reject) => {
    const cleanUp = finished(stream, { readable: false }, (error) => {
      if (error instanceof Error && !isGone(error)) reject(error)
      else resolve()
    })
    stream.write(text, (error) => {
      cleanUp()
      if (error instanceof Error && !isGone(error)) reject(error)
      else resolve()
    })
  })
}

function isGone(error: Error): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return (
    code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ERR_STREAM_DESTROYED'
  )
}
