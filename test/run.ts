/**
 * `npm test`: everything, one suite after the other, added up in one last line `N passed, N failed`.
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Tests of one suite by outcome; a step without tests of its own counts as one. */
interface Count {
  passed: number
  failed: number
}

function execute(
  command: string,
  args: string[],
): Promise<{ code: number | null; stdout: string }> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    process.stdout.write(text)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      resolve({ code, stdout })
    })
  })
}

const step =
  (command: string, ...args: string[]) =>
  async (): Promise<Count> => {
    const { code } = await execute(command, args)
    return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
  }

const vitest = (project: string) => async (): Promise<Count> => {
  const directory = mkdtempSync(join(tmpdir(), 'sallyport-results-'))
  const outputFile = join(directory, 'results.json')
  try {
    const { code } = await execute('vitest', [
      ...['run', '--project', project, '--reporter=default', '--reporter=json'],
      `--outputFile.json=${outputFile}`,
    ])
    const result = JSON.parse(readFileSync(outputFile, 'utf8')) as {
      numPassedTests: number
      numFailedTests: number
      numFailedTestSuites: number
    }
    // Files that do not load, and errors outside of a test, fail without a failed test.
    const failed = Math.max(result.numFailedTests, code === 0 ? 0 : 1)
    return { passed: result.numPassedTests, failed }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const scenarios = async (): Promise<Count> => {
  const { stdout } = await execute('node', ['test/e2e/src/main.ts'])
  const [, passed, failed] = /^e2e: (\d+) passed, (\d+) failed$/m.exec(stdout) ?? []
  return passed === undefined
    ? { passed: 0, failed: 1 }
    : { passed: Number(passed), failed: Number(failed) }
}

const suites: [string, () => Promise<Count>][] = [
  ['format', step('prettier', '--check', '.')],
  ['lint', step('eslint', '.')],
  ['types', step('tsc', '-p', 'tsconfig.json')],
  [
    'layers',
    step('depcruise', 'packages', 'test', 'bench', 'demo', '--config', '.dependency-cruiser.cjs'),
  ],
  ['unused', step('knip')],
  ['unit', vitest('unit')],
  ['cluster', vitest('cluster')],
  ['e2e', scenarios],
]

const total: Count = { passed: 0, failed: 0 }
const lines: string[] = []
for (const [name, suite] of suites) {
  const started = Date.now()
  process.stdout.write(`\n── ${name}\n`)
  const count = await suite()
  total.passed += count.passed
  total.failed += count.failed
  const seconds = Math.round((Date.now() - started) / 1000)
  lines.push(`${name.padEnd(8)} ${count.passed} passed, ${count.failed} failed (${seconds} s)`)
}
process.stdout.write(`\n${lines.join('\n')}\n\n${total.passed} passed, ${total.failed} failed\n`)
process.exitCode = total.failed === 0 ? 0 : 1
