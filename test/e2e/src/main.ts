/**
 * The runner of the scenarios: `npm run test:e2e [-- AREA …]`. Starts the lab once, runs the areas one after the other
 * and prints which requirement ids are proved and which are not.
 * @module
 */
import { fileURLToPath } from 'node:url'
import { startVitest, type TestCase } from 'vitest/node'
import { areas, requirements, type Area, type RequirementId } from '../requirements.ts'
import { azurePage, hasAzurePage } from './azure-page.ts'
import { startLab, type Lab } from './lab.ts'
import { missingPrerequisites } from './prerequisites.ts'

declare module 'vitest' {
  interface ProvidedContext {
    lab: Lab
  }
}

const root = fileURLToPath(new URL('..', import.meta.url))
const say = (text: string) => process.stderr.write(`${text}\n`)

/** Result of one area: tests by outcome, and the ids that a passed scenario proved. */
interface AreaResult {
  passed: number
  failed: number
  proved: Set<RequirementId>
}

function chosenAreas(args: string[]): Area[] {
  const unknown = args.filter((arg) => !(areas as readonly string[]).includes(arg))
  if (unknown.length > 0) {
    say(
      `error: there is no area ${unknown.join(', ')}\n try:  npm run test:e2e -- ${areas.join('|')}`,
    )
    process.exit(2)
  }
  return args.length === 0 ? [...areas] : (args as Area[])
}

async function runArea(area: Area, lab: Lab): Promise<AreaResult> {
  const proved = new Set<RequirementId>()
  const vitest = await startVitest([], {
    config: false,
    root,
    watch: false,
    include: [`scenarios/${area}/**/*.test.ts`],
    fileParallelism: false,
    pool: 'forks',
    provide: { lab },
    hookTimeout: 120_000,
    reporters: ['verbose'],
  })
  const count = { passed: 0, failed: 0 }
  const settle = (test: TestCase) => {
    const { state } = test.result()
    if (state === 'passed') {
      count.passed++
      for (const id of test.meta().requirements ?? []) proved.add(id)
    } else count.failed++
  }
  for (const module of vitest.state.getTestModules()) {
    for (const test of module.children.allTests()) settle(test)
    // A file that does not even load has no tests, and must not pass for that.
    if (module.errors().length > 0) count.failed++
  }
  await vitest.close()
  return { ...count, proved }
}

/** Requirements that this checkout cannot show, and why. */
const notRun: Partial<Record<RequirementId, string>> = hasAzurePage
  ? {}
  : { 'seed.azure-page': `the page is not part of this project and ${azurePage} is not there` }

function report(area: Area, result: AreaResult): number {
  const ids = Object.keys(requirements[area]) as RequirementId[]
  const proved = (id: RequirementId) => result.proved.has(id)
  const unproved = ids.filter((id) => !proved(id) && notRun[id] === undefined)
  for (const id of ids) {
    const reason = notRun[id]
    if (proved(id) || reason === undefined) say(`  ${proved(id) ? 'proved  ' : 'UNPROVED'}  ${id}`)
    else say(`  not run   ${id}: ${reason}`)
  }
  say(`${area}: ${ids.length - unproved.length} of ${ids.length} requirements proved`)
  return unproved.length
}

async function main(): Promise<number> {
  const chosen = chosenAreas(process.argv.slice(2))
  const missing = missingPrerequisites()
  if (missing !== undefined) {
    say(missing)
    return 2
  }
  // Only the ARM API can be shown without one.
  const withCluster = chosen.some((area) => area !== 'arm')
  const running = await startLab({ withCluster, say })
  const total = { passed: 0, failed: 0, unproved: 0 }
  const interrupted = () => {
    void running.stop().finally(() => process.exit(130))
  }
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  const results: [Area, AreaResult][] = []
  try {
    for (const area of chosen) results.push([area, await runArea(area, running.lab)])
  } finally {
    await running.stop()
  }
  for (const [area, result] of results) {
    total.passed += result.passed
    total.failed += result.failed
    total.unproved += report(area, result)
  }
  process.stdout.write(`e2e: ${total.passed} passed, ${total.failed + total.unproved} failed\n`)
  return total.failed + total.unproved === 0 ? 0 : 1
}

process.exitCode = await main()
