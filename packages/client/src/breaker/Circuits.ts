/** The circuits of the servers that have failed: of one that has not, there is nothing to know. */
import { Circuit, type Settings } from "./Circuit.js"

/** Whoever chooses the origins of a client's requests must not fill its memory. */
const maxCircuits = 1000

export class Circuits {
  private readonly settings: Settings
  private readonly known = new Map<string, Circuit>()

  constructor(settings: Settings) {
    this.settings = settings
  }

  /** Whether no server has failed. */
  get isQuiet(): boolean {
    return this.known.size === 0
  }

  find(id: string): Circuit | undefined {
    return this.known.get(id)
  }

  /** The circuit of a server that has failed. The one that failed longest ago may be forgotten for it. */
  get(id: string): Circuit {
    const { known, settings } = this
    const circuit = known.get(id) ?? new Circuit(settings)
    known.delete(id)
    const [oldest] = known.keys()
    if (oldest !== undefined && known.size >= maxCircuits) this.forget(oldest)
    known.set(id, circuit)
    return circuit
  }

  forget(id: string): void {
    this.known.get(id)?.release()
    this.known.delete(id)
  }
}
