/**
 * Child of the kill test: writes for ever, and says each name once its write is acknowledged.
 * @module
 */
import { writeSync } from 'node:fs'
import { openStore } from '../../../src/store/store.ts'

const [directory = '', prefix = ''] = process.argv.slice(2)
const store = await openStore({ directory })
for (let index = 0; ; index += 1) {
  const name = `${prefix}-${String(index)}`
  await store.transaction(
    async (trx) => {
      for (const half of ['left', 'right']) {
        await trx
          .insertInto('subscriptions')
          .values({ subscription_id: `${name}-${half}`, display_name: name, created_at: index })
          .execute()
      }
      // Every second one does not wait for the disk: that must not matter to the death of a process.
    },
    { durable: index % 2 === 0 },
  )
  // Synchronous: said before anything else can happen.
  writeSync(1, `${name}\n`)
}
