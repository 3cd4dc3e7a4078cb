/**
 * The groups of the person who signs in, asked of Microsoft Graph with that person's own token, at the configured origin.
 * The token names an address too: it is not used, since it may be a retired service or anybody's (azure-docs: groups overage).
 * @module
 */
import Type from 'typebox'
import { jsonParser, limits, SallyportError } from '@sallyport/protocol'
import { refused } from './claims.ts'
import { unreachable, type OutsideFetch } from './outside-fetch.ts'

const parseAnswer = jsonParser(
  Type.Object(
    { value: Type.Array(Type.String({ maxLength: 256 }), { maxItems: limits.groupsPerPrincipal }) },
    { additionalProperties: true },
  ),
  'answer of Graph',
  'ERR_ISSUER_UNREACHABLE',
)

/** Object ids of all groups, nested ones included. @throws SallyportError ERR_ISSUER_REFUSED, ERR_ISSUER_UNREACHABLE. */
export async function groupsOfMe(parts: {
  /** With room for `limits.graphAnswerBytes`. */
  fetch: OutsideFetch
  graph: string
  accessToken: string | undefined
}): Promise<string[]> {
  if (parts.accessToken === undefined) {
    throw refused(
      'you are in more groups than the token holds, and it gives no right to ask for them',
    )
  }
  const answer = await parts.fetch(`${parts.graph}/v1.0/me/getMemberObjects`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${parts.accessToken}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ securityEnabledOnly: true }),
  })
  if (answer.status === 401 || answer.status === 403) {
    throw refused(
      'you are in more groups than the token holds, and Microsoft Graph did not let the hub ask for them: grant the permission User.Read',
    )
  }
  if (answer.status !== 200) throw unreachable(`Microsoft Graph answered ${answer.status}`)
  const { value, '@odata.nextLink': more } = parseAnswer(await answer.text()) as {
    value: string[]
    '@odata.nextLink'?: unknown
  }
  if (more !== undefined) {
    throw new SallyportError('ERR_ISSUER_REFUSED', 'this sign-in was not accepted', {
      why: 'you are in more groups than Microsoft Graph tells in one answer',
    })
  }
  return value
}
