/**
 * What other programs may take from the agent: nothing but its entry point in `main.ts`.
 * @module
 */
export { agentHelp } from './config.ts'
