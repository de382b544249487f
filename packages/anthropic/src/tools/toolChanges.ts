/** Changes of the offered tools during a conversation: a turn may remove a tool, and a later one may add it again. */
import * as Predicate from "effect/Predicate"

interface Turn {
  readonly role: string
  readonly content: unknown
}

const nameOf = (tool: unknown): unknown => {
  if (!Predicate.hasProperty(tool, "type")) return undefined
  if (tool.type === "tool_reference") return Predicate.hasProperty(tool, "name") ? tool.name : undefined
  // The tools of MCP servers do not run here.
  return tool.type === "tool_definition" &&
    Predicate.hasProperty(tool, "definition") &&
    Predicate.hasProperty(tool.definition, "name")
    ? tool.definition.name
    : undefined
}

const blocksOf = (content: unknown): ReadonlyArray<unknown> => (Array.isArray(content) ? content : [])

/** The tool changes of a turn. A turn that compacts earlier ones contains theirs. */
const changesIn = ({ content, role }: Turn): ReadonlyArray<unknown> => {
  if (role === "system") return blocksOf(content)
  if (role !== "assistant") return []
  return blocksOf(content).flatMap((block) =>
    Predicate.hasProperty(block, "tool_changes") ? blocksOf(block.tool_changes) : []
  )
}

/** The names of the tools that the conversation added and removed. A model may call a removed one nevertheless. */
export interface ToolChanges {
  readonly added: ReadonlySet<unknown>
  readonly removed: ReadonlySet<unknown>
}

/** What the conversation changed of the offered tools. */
export const toolChanges = (turns: ReadonlyArray<Turn>): ToolChanges => {
  const added = new Set<unknown>()
  const removed = new Set<unknown>()
  for (const change of turns.flatMap(changesIn)) {
    if (!Predicate.hasProperty(change, "type") || !Predicate.hasProperty(change, "tool")) continue
    const name = nameOf(change.tool)
    if (change.type === "tool_removal") {
      removed.add(name)
      added.delete(name)
    } else if (change.type === "tool_addition") {
      removed.delete(name)
      added.add(name)
    }
  }
  return { added, removed }
}
