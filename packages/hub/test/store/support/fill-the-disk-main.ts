/**
 * Child of the disk test, inside its own mount namespace: fills a small volume under the store, then makes room again.
 * @module
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStore, type Store } from '../../../src/store/store.ts'

const [directory = ''] = process.argv.slice(2)
const filler = join(directory, 'filler')

/** Takes every byte that is left. */
function fill(): void {
  for (let size = 256 * 1024; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a', flush: true })
    } catch {
      // Full for this size: a smaller one may still fit.
    }
  }
}

const attempt = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: unknown) => String((error as { code?: unknown }).code),
  )

const write = (store: Store, name: string): Promise<unknown> =>
  store.transaction((trx) =>
    trx
      .insertInto('subscriptions')
      .values({ subscription_id: name, display_name: 'x'.repeat(20_000), created_at: 1 })
      .execute(),
  )

const store = await openStore({ directory: join(directory, 'data') })
const result: Record<string, unknown> = { before: await attempt(write(store, 'before')) }
fill()
const refused: string[] = []
for (let index = 0; index < 20; index += 1) {
  refused.push(await attempt(write(store, `full-${String(index)}`)))
}
result['full'] = refused
const acknowledged = refused.filter((outcome) => outcome === 'ok').length
const count = async (): Promise<number> =>
  (await store.db.selectFrom('subscriptions').select('subscription_id').execute()).length
result['lostWhileFull'] = 1 + acknowledged - (await count())
result['ping'] = await attempt(store.ping())
rmSync(filler)
result['after'] = await attempt(write(store, 'after'))
result['lost'] = 2 + acknowledged - (await count())
await store.close()
fill()
result['openFull'] = await attempt(openStore({ directory: join(directory, 'fresh') }))
rmSync(filler)
result['openAgain'] = await attempt(
  openStore({ directory: join(directory, 'fresh') }).then((fresh) => fresh.close()),
)
process.stdout.write(JSON.stringify(result))
