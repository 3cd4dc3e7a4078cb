/**
 * T-JWT-10 X161: whose clock is off, from what one machine sees.
 * @module
 */
import { expect, test } from 'vitest'
import { clocksDisagree, describeSkew } from '../../src/link/clock-skew.ts'

const tenMinutes = 600_000

test.each([
  [{ agent: 0, hub: 0 }, undefined, false],
  [{ agent: 30_000, hub: 30_000 }, undefined, false],
  [
    { agent: tenMinutes, hub: tenMinutes },
    'the clock of this machine is 600 s behind those of the hub and the agent',
    false,
  ],
  [
    { agent: -tenMinutes, hub: -tenMinutes },
    'the clock of this machine is 600 s ahead of those of the hub and the agent',
    false,
  ],
  [
    { agent: tenMinutes, hub: 0 },
    'the clock of the agent is 600 s ahead of those of the hub and this machine',
    true,
  ],
  [
    { agent: -tenMinutes, hub: 500 },
    'the clock of the agent is 600 s behind those of the hub and this machine',
    true,
  ],
  [
    { agent: 0, hub: tenMinutes },
    'the clock of the hub is 600 s ahead of those of the agent and this machine',
    true,
  ],
  [
    { agent: 0, hub: -tenMinutes },
    'the clock of the hub is 600 s behind those of the agent and this machine',
    true,
  ],
  [
    { agent: tenMinutes, hub: -tenMinutes },
    'no two clocks agree: seen from this machine, the hub is 600 s behind it and the agent 600 s ahead of it',
    true,
  ],
  [
    { agent: tenMinutes, hub: undefined },
    'the clock of the agent is 600 s ahead of the clock of this machine',
    true,
  ],
  [{ agent: 0, hub: undefined }, undefined, false],
])('%o', (offsets, text, disagree) => {
  expect(describeSkew(offsets)).toBe(text)
  expect(clocksDisagree(offsets)).toBe(disagree)
})
