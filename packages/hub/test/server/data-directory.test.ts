import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  fileError,
  prepareDataDirectory,
  readPrivateFile,
  writePrivateFile,
} from '../../src/server/data-directory.ts'
import { temporaryDirectory } from '../hub-fixture.ts'

let directory: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  directory = temporaryDirectory()
})
afterEach(() => {
  directory.remove()
})

describe('data directory', () => {
  it('is made private, with its parents', () => {
    const path = join(directory.path, 'a', 'b')
    prepareDataDirectory(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    prepareDataDirectory(path)
  })

  it('is made private when empty, refused with content when others may enter', () => {
    const path = join(directory.path, 'open')
    mkdirSync(path)
    chmodSync(path, 0o755)
    prepareDataDirectory(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    writeFileSync(join(path, 'x'), '')
    chmodSync(path, 0o770)
    expect(() => {
      prepareDataDirectory(path)
    }).toThrow(/other users may enter it \(mode 770\)/)
  })

  it('is refused when it is a file, below a file, or cannot be made', () => {
    const file = join(directory.path, 'file')
    writeFileSync(file, '')
    for (const path of [file, join(file, 'below'), '/proc/nowhere/hub']) {
      expect(() => {
        prepareDataDirectory(path)
      }).toThrow(expect.objectContaining({ code: 'ERR_FILE_ACCESS' }))
    }
  })
})

describe('private files', () => {
  it('are written whole, mode 0600, leaving nothing else behind', () => {
    const path = join(directory.path, 'keys', 'k')
    expect(readPrivateFile(path)).toBeUndefined()
    writePrivateFile(path, 'one')
    writePrivateFile(path, 'two')
    expect(readPrivateFile(path)).toBe('two')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(directory.path, 'keys'))).toEqual(['k'])
  })

  it('are refused when others can read them', () => {
    const path = join(directory.path, 'k')
    writeFileSync(path, 'x')
    chmodSync(path, 0o640)
    expect(() => readPrivateFile(path)).toThrow(/others can read it/)
  })

  it('leave the old content and no draft when writing fails', () => {
    const path = join(directory.path, 'd')
    mkdirSync(path)
    writeFileSync(join(path, 'inside'), 'old')
    expect(() => {
      writePrivateFile(path, 'new')
    }).toThrow(expect.objectContaining({ code: 'ERR_FILE_ACCESS' }))
    expect(readFileSync(join(path, 'inside'), 'utf8')).toBe('old')
    expect(readdirSync(directory.path)).toEqual(['d'])
  })

  it('say when the disk is full', () => {
    const full = Object.assign(new Error('write'), { code: 'ENOSPC' })
    expect(fileError('/x', 'write', full)).toMatchObject({
      code: 'ERR_STORE_FULL',
      message: 'cannot write /x: the disk is full',
    })
  })
})
