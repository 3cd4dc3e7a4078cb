/**
 * Three clocks, one of them wrong: says which machine is off, and by how much.
 * @module
 */
import { limits } from '@sallyport/protocol'

/** Clocks of the others minus ours in milliseconds; `hub` undefined when it was not asked. */
export interface ClockOffsets {
  agent: number
  hub: number | undefined
}

const isFar = (ms: number): boolean => Math.abs(ms) > limits.clusterTokenSkewMs

/** Whether the two clocks that judge tokens, the hub's and the agent's, disagree. */
export function clocksDisagree({ agent, hub }: ClockOffsets): boolean {
  return isFar(agent - (hub ?? 0))
}

/** Names the machine whose clock is off; undefined when all agree. Two that agree outvote the third. */
export function describeSkew(offsets: ClockOffsets): string | undefined {
  const { agent, hub } = offsets
  if (hub === undefined) {
    return isFar(agent)
      ? `the clock of the agent is ${apart(agent)} the clock of this machine`
      : undefined
  }
  if (!isFar(agent - hub)) {
    return isFar(agent) || isFar(hub)
      ? `the clock of this machine is ${apart(-hub)} those of the hub and the agent`
      : undefined
  }
  if (!isFar(hub)) {
    return `the clock of the agent is ${apart(agent)} those of the hub and this machine`
  }
  if (!isFar(agent)) {
    return `the clock of the hub is ${apart(hub)} those of the agent and this machine`
  }
  return `no two clocks agree: seen from this machine, the hub is ${apart(hub)} it and the agent ${apart(agent)} it`
}

function apart(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000)
  return `${seconds} s ${ms > 0 ? 'ahead of' : 'behind'}`
}
