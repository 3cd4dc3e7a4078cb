/**
 * Rules for the request target as received (T-PATH-1..4). It is forwarded unchanged or refused; never parsed into a URL (M3).
 * @module
 */
import { limits } from '@sallyport/protocol'

// Segments of RFC 3986 pchar (and brackets, which Go leaves alone), none starting with a dot, no percent, no `;`.
const plainPath = /^(?:\/[\w~!$&'()*+,=:@[\]-][\w.~!$&'()*+,=:@[\]-]*)+\/?$/
const pathCharacters = /^[\w.~!$&'()*+,=:@[\]/%-]+$/
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const forbiddenDecoded = /[\u0000-\u001f\u007f/\\#?;]/
const queryCharacters = /^[!-"$-~]*$/
const encodingDepth = 3

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..'
}

/** Why a segment that has a percent sign is refused, decoding it as often as a careless server could. */
function encodedSegmentProblem(segment: string): string | undefined {
  let text = segment
  for (let depth = 1; depth <= encodingDepth && text.includes('%'); depth++) {
    if (/%(?![0-9A-Fa-f]{2})/.test(text))
      return depth === 1 ? 'a percent sign is not followed by two hex digits' : undefined
    text = Buffer.from(
      text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      ),
      'latin1',
    ).toString('latin1')
    if (isDots(text)) return 'the path has a dot segment'
    if (forbiddenDecoded.test(text)) return 'the path has an encoded separator or control character'
  }
  return undefined
}

function pathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'the target does not begin with a slash'
  if (path.includes('//')) return 'the path has an empty segment'
  if (!pathCharacters.test(path)) return 'the path has a character that must be encoded'
  for (const segment of path.split('/')) {
    if (isDots(segment)) return 'the path has a dot segment'
    const problem = segment.includes('%') ? encodedSegmentProblem(segment) : undefined
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Why this request target is refused, or undefined when it may be sent as it is. */
export function targetProblem(target: string): string | undefined {
  if (target.length > limits.agentMaxTargetBytes)
    return `the target is longer than ${limits.agentMaxTargetBytes} bytes`
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  if (!plainPath.test(path)) {
    const problem = pathProblem(path)
    if (problem !== undefined) return problem
  }
  if (mark !== -1 && !queryCharacters.test(target.slice(mark + 1)))
    return 'the query has a fragment or a character that must be encoded'
  return undefined
}

// Kubernetes' own long-running requests (kube-apiserver options: LongRunningRequestVerbs and -SubresourceRE).
const longRunning =
  /^[^?]*\/(?:watch|proxy|log|exec|attach|portforward)(?:[/?]|$)|[?&](?:watch|follow)=/

/** Whether a request may stay silent for as long as it likes: watches, logs -f, proxied services. */
export function isLongRunning(target: string): boolean {
  return longRunning.test(target)
}
