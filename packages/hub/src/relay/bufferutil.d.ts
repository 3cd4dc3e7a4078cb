/**
 * The one function of bufferutil that is used; the package has no types of its own.
 * @module
 */
declare module 'bufferutil' {
  const bufferUtil: {
    /** XORs `buffer` in place with the four bytes of `mask`, in native code. */
    unmask(buffer: Buffer, mask: Buffer): void
  }
  export default bufferUtil
}
