/**
 * The two programs of this package as far as configuration goes.
 * @module
 */
import type { Fields } from './field.ts'

/** A program that reads configuration. */
export interface ConfigProgram {
  /** Words after which the flags come, as typed. */
  command: string
  summary: string
  environmentPrefix: string
  fields: Fields
}
