/**
 * People: names, passwords, and what ends with them.
 * @module
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '@sallyport/protocol'
import {
  hashPassword,
  isOutdatedHash,
  isPasswordOf,
} from '../../../src/identity/directory/passwords.ts'
import {
  deleteServicePrincipal,
  updateServicePrincipal,
} from '../../../src/identity/directory/service-principals.ts'
import {
  checkPassword,
  deleteUser,
  findUser,
  hashNewPassword,
  insertUser,
  setPassword,
  updateUser,
} from '../../../src/identity/directory/users.ts'
import { openDirectory, type DirectoryFixture } from './support.ts'

let directory: DirectoryFixture
beforeEach(async () => {
  directory = await openDirectory()
})
afterEach(async () => {
  await directory[Symbol.asyncDispose]()
})

const password = 'correct horse battery'
const upn = 'Anna.Ott@Example.org'
const invalid = { code: 'ERR_ARM_INVALID_REQUEST' }

async function anna(): Promise<string> {
  const passwordHash = await hashNewPassword(password, upn)
  const made = await directory.user('anna', { userPrincipalName: upn, passwordHash })
  return made.objectId
}

/** What a browser session and a refresh token leave in the store. */
async function signIn(accountId: string): Promise<void> {
  for (const model of ['Grant', 'Session']) {
    const payload = JSON.stringify({ kind: model, accountId })
    await directory.store.db
      .insertInto('oidc')
      .values({
        model,
        id: `${model}-${accountId}`,
        grant_id: null,
        uid: null,
        user_code: null,
        payload,
        expires_at: null,
        consumed_at: null,
      })
      .execute()
  }
}

const signedIn = async (): Promise<number> =>
  (await directory.store.db.selectFrom('oidc').select('id').execute()).length

describe('a user', () => {
  it('is found by id and by name in any case, and its name is taken once', async () => {
    const objectId = await anna()
    const { db } = directory.store
    expect(await findUser(db, { userPrincipalName: upn.toUpperCase() })).toMatchObject({
      objectId,
      userPrincipalName: upn,
      enabled: true,
      administrator: false,
      hasPassword: true,
    })
    expect(await findUser(db, { objectId: objectId.toUpperCase() })).toMatchObject({ objectId })
    await expect(
      directory.user('other', { userPrincipalName: upn.toLowerCase() }),
    ).rejects.toMatchObject({ code: 'ERR_DIRECTORY_CONFLICT' })
    const other = await directory.user('other')
    await expect(
      directory.change((trx) =>
        updateUser(trx, other.objectId, { change: { userPrincipalName: upn }, now: 2 }),
      ),
    ).rejects.toMatchObject({ code: 'ERR_DIRECTORY_CONFLICT' })
    await directory.change((trx) =>
      updateUser(trx, objectId, {
        change: { userPrincipalName: upn.toLowerCase(), displayName: 'Änne', mail: null },
        now: 2,
      }),
    )
    expect(await findUser(db, { objectId })).toMatchObject({
      userPrincipalName: upn.toLowerCase(),
      displayName: 'Änne',
    })
    expect(await directory.revocations()).toEqual([])
  })

  it.each([
    'anna',
    '@example.org',
    'anna@',
    'anna @example.org',
    'anna@example.org\n',
    'anna@exam\u202Eple.org',
    'аnna@example.org',
    'anna\u200B@example.org',
    'a@b@c',
    '.anna@example.org',
    'anna@-example.org',
    'anna/x@example.org',
    `${'a'.repeat(250)}@example.org`,
  ])('is not named %j', async (userPrincipalName) => {
    await expect(directory.user('x', { userPrincipalName })).rejects.toMatchObject(invalid)
  })

  it.each(['', ' x', 'x ', 'a\tb', 'a\u0007', 'a\u202Eb', 'a\u2028b', '\uD800', 'x'.repeat(257)])(
    'is not displayed as %j',
    async (displayName) => {
      await expect(directory.user('x', { displayName })).rejects.toMatchObject(invalid)
    },
  )

  it('with a name inside a name is another one', async () => {
    await directory.user("o'neil_#ext#")
    await directory.user('o')
    expect(
      await findUser(directory.store.db, { userPrincipalName: "O'Neil_#EXT#@example.org" }),
    ).toBeDefined()
  })
})

describe('what a user is signed in with', () => {
  it.each<[string, (objectId: string) => Promise<void>]>([
    ['deleted', (id) => directory.change((trx) => deleteUser(trx, id, 5))],
    [
      'disabled',
      (id) =>
        directory.change((trx) => updateUser(trx, id, { change: { enabled: false }, now: 5 })),
    ],
    [
      'given another password',
      async (id) => {
        const passwordHash = await hashNewPassword('another long password', upn)
        await directory.change((trx) => setPassword(trx, id, { passwordHash, now: 5 }))
      },
    ],
  ])('ends when it is %s', async (_what, change) => {
    const objectId = await anna()
    const ben = await directory.user('ben')
    await signIn(objectId)
    await signIn(ben.objectId)
    await change(objectId)
    expect(await directory.revocations()).toEqual([{ seq: 1, kind: 'principal', target: objectId }])
    expect((await findUser(directory.store.db, { objectId }))?.revokedSeq ?? 1).toBe(1)
    expect(await signedIn()).toBe(2)
    expect((await findUser(directory.store.db, { objectId: ben.objectId }))?.revokedSeq).toBe(0)
  })

  it('does not end when the change fails', async () => {
    const owner = await directory.user('owner', { administrator: true })
    await signIn(owner.objectId)
    await expect(
      directory.change((trx) => deleteUser(trx, owner.objectId, 5)),
    ).rejects.toMatchObject({ code: 'ERR_LAST_ADMINISTRATOR' })
    expect(await directory.revocations()).toEqual([])
    expect(await signedIn()).toBe(2)
    expect(await findUser(directory.store.db, owner)).toMatchObject({ revokedSeq: 0 })
  })
})

describe('the last enabled administrator', () => {
  it('stays, whatever it is: user or service principal', async () => {
    const { change, user, app } = directory
    const [owner, second] = [await user('owner', { administrator: true }), await app('ci', true)]
    const third = await user('third', { administrator: true, enabled: false })
    const last = { code: 'ERR_LAST_ADMINISTRATOR' }
    await change((trx) => updateUser(trx, owner.objectId, { change: { enabled: false }, now: 2 }))
    const app2 = second.objectId
    await expect(change((trx) => deleteServicePrincipal(trx, app2, 2))).rejects.toMatchObject(last)
    for (const lost of [{ enabled: false }, { administrator: false }]) {
      await expect(
        change((trx) => updateServicePrincipal(trx, app2, { change: lost, now: 2 })),
      ).rejects.toMatchObject(last)
    }
    await change((trx) => deleteUser(trx, third.objectId, 2))
    await change((trx) => updateUser(trx, owner.objectId, { change: { enabled: true }, now: 2 }))
    await change((trx) => deleteServicePrincipal(trx, app2, 2))
    await expect(
      change((trx) =>
        updateUser(trx, owner.objectId, { change: { administrator: false }, now: 3 }),
      ),
    ).rejects.toMatchObject(last)
    await change((trx) => updateUser(trx, owner.objectId, { change: { displayName: 'O' }, now: 3 }))
  })
})

describe('a password', () => {
  it('lets its user in and nobody else', async () => {
    const objectId = await anna()
    const { db } = directory.store
    expect(await checkPassword(db, upn.toLowerCase(), password)).toMatchObject({ objectId })
    expect(await checkPassword(db, upn, `${password}.`)).toBeUndefined()
    expect(await checkPassword(db, 'nobody@example.org', password)).toBeUndefined()
    const elsewhere = await directory.user('elsewhere')
    expect(await checkPassword(db, elsewhere.userPrincipalName, password)).toBeUndefined()
    await directory.change((trx) =>
      updateUser(trx, objectId, { change: { enabled: false }, now: 2 }),
    )
    expect(await checkPassword(db, upn, password)).toBeUndefined()
  })

  it('is the same however its letters are composed', async () => {
    const hash = await hashPassword('Schlüssel zur Tür')
    expect(await isPasswordOf('Schlu\u0308ssel zur Tu\u0308r', hash)).toBe(true)
  })

  it.each<[string, string]>([
    ['too short', 'elevenchars'],
    ['too short in characters', '😀'.repeat(11)],
    ['too long', 'x'.repeat(257)],
    ['the sign-in name', upn.toLowerCase()],
    ['the sign-in name in wide letters', upn.replace('A', 'Ａ')],
    ['broken Unicode', 'long enough \uD800'],
  ])('is refused when it is %s', async (_what, bad) => {
    await expect(hashNewPassword(bad, upn)).rejects.toMatchObject({ code: 'ERR_PASSWORD_REFUSED' })
  })

  it('is never in the store in clear, and no two hashes are alike', async () => {
    await anna()
    const [first, second] = [await hashPassword(password), await hashPassword(password)]
    expect(first).not.toBe(second)
    expect(first).toMatch(
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
    )
    for (const name of readdirSync(directory.path)) {
      expect(readFileSync(join(directory.path, name)).includes(password)).toBe(false)
    }
  })

  it('is hashed again when new hashes take more effort', async () => {
    const weak = await hashPassword(password, { memory: 8_192, passes: 1, parallelism: 1 })
    expect(isOutdatedHash(weak)).toBe(true)
    const { objectId } = await directory.change((trx) =>
      insertUser(trx, { userPrincipalName: upn, displayName: 'a', passwordHash: weak, now: 1 }),
    )
    const { db } = directory.store
    expect(await checkPassword(db, upn, 'wrong password here')).toBeUndefined()
    const hash = async (): Promise<string> =>
      (await db.selectFrom('users').select('password_hash').executeTakeFirstOrThrow())
        .password_hash ?? ''
    expect(await hash()).toBe(weak)
    expect(await checkPassword(db, upn, password)).toMatchObject({ objectId })
    expect(isOutdatedHash(await hash())).toBe(false)
    expect(await checkPassword(db, upn, password)).toMatchObject({ objectId })
    expect(await directory.revocations()).toEqual([])
  })

  it('T-TIM-1: takes as long to check for an unknown user as for a known one', async () => {
    await anna()
    await directory.user('elsewhere')
    const { db } = directory.store
    const median = async (name: string, tried: string): Promise<number> => {
      const times: number[] = []
      for (let round = 0; round < 9; round++) {
        const start = performance.now()
        await checkPassword(db, name, tried)
        times.push(performance.now() - start)
      }
      return times.sort((a, b) => a - b)[4] ?? 0
    }
    const known = await median(upn, 'wrong password here')
    const long = 'x'.repeat(limits.passwordMaxLength * 4)
    for (const [name, tried] of [
      ['nobody@example.org', 'wrong password here'],
      ['elsewhere@example.org', 'wrong password here'],
      ['nobody@example.org', long],
      [upn, long],
    ] as const) {
      // An answer without the hash would take a hundredth.
      expect((await median(name, tried)) / known).toBeGreaterThan(0.5)
    }
  })

  it('waits its turn, and a flood is refused', async () => {
    const count = limits.passwordHashesAtOnce + limits.passwordHashesWaiting
    const cost = { memory: 64, passes: 1, parallelism: 1 }
    const all = Array.from({ length: count }, () => hashPassword(password, cost))
    await expect(hashPassword(password, cost)).rejects.toMatchObject({ code: 'ERR_RATE_LIMITED' })
    await Promise.all(all)
    await expect(hashPassword(password, cost)).resolves.toMatch(/^\$argon2id/)
  })
})
