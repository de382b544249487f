/** The common interface of the clients. The bench opens one client per base URL and keeps it. */

export interface Client {
  /** Sends a request and returns the text of the response. */
  readonly call: () => Promise<string>
  /** Sends requests while `more` returns true, for clients whose programs need no promise per request. */
  readonly calls?: (more: () => boolean, onText: (text: string) => void) => Promise<void>
  /** Gets a page and returns the text of its last item. A client of Effects runs an Effect for each. */
  readonly page?: () => Promise<string>
  /** Reads a stream and passes on the text of each event. */
  readonly stream?: (onText: (text: string) => void) => Promise<void>
}

export type Open = (baseUrl: string) => Client | Promise<Client>

/** Sends one request after another, as a loop with `await` does. */
export const repeated = async (
  client: Client,
  more: () => boolean,
  onText: (text: string) => void
): Promise<void> => {
  if (client.calls !== undefined) return client.calls(more, onText)
  while (more()) onText(await client.call())
}
