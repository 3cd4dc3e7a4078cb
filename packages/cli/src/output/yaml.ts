/**
 * YAML output; texts with characters a terminal would obey are double-quoted and escaped.
 * @module
 */
import { Document, visit } from 'yaml'
import { escapeText, hasDangerousCharacter } from './escape.ts'

/** Renders a JSON value as one YAML document. */
export function renderYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === 'string' && hasDangerousCharacter(node.value)) {
        // Only double quotes have escapes (YAML 1.2 section 5.7); a long one must not be folded.
        node.type = 'QUOTE_DOUBLE'
      }
    },
  })
  return escapeText(document.toString({ lineWidth: 0 }))
}
