/**
 * Serves fixed JSON documents over https: what a bucket with a static site does. Arguments: documents, certificate, key, address.
 * @module
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const [documentsFile = '', certificate = '', key = '', address = ''] = process.argv.slice(2)
const documents = JSON.parse(readFileSync(documentsFile, 'utf8')) as Record<string, unknown>
const { hostname, port } = new URL(address)
createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
  const found = documents[request.url ?? '']
  response
    .writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' })
    .end(JSON.stringify(found ?? {}))
}).listen(Number(port), hostname, () => {
  process.stdout.write('listening\n')
})
