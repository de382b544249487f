/** A decoder that chooses another by the status of the response. */
import * as Exit from "effect/Exit"
import { combined } from "../schema/schemaSecrets.js"
import * as ByStatus from "./ByStatus.js"
import * as Contract from "./DecoderContract.js"
import type { DecodeFailure } from "./schemaDecoder.js"

/** A decoder of the values by status. A status that none is for does not fit. */
export const statusDecoder = <A>(
  statuses: ByStatus.ByStatus<Contract.ResponseDecoder<A>>
): Contract.ResponseDecoder<A> => {
  const all = ByStatus.values(statuses)
  const names = Object.keys(statuses).join(", ")
  const unnamed = (status: number): DecodeFailure => ({
    reason: `has the status ${status}, and the request describes ${names}`,
    path: []
  })
  return Contract.of({
    accept: [...new Set(all.map(({ accept }) => accept))].join(", "),
    statuses,
    secrets: combined(all.map(({ secrets }) => secrets)),
    decode: (body) => ByStatus.find(statuses, body.status)?.decode(body) ?? Exit.fail(unnamed(body.status)),
    ...(all.some(({ open }) => open !== undefined) && { open: opened(statuses) })
  })
}

const opened =
  <A>(statuses: ByStatus.ByStatus<Contract.ResponseDecoder<A>>) =>
  (arriving: Contract.Arriving): A => {
    const open = ByStatus.find(statuses, arriving.status)?.open
    if (open === undefined) throw new Error(`status ${arriving.status} has no open body`)
    return open(arriving)
  }

/** Whether the value for a status is the open body itself. */
export const isOpen = ({ open, statuses }: Contract.ResponseDecoder<unknown>, status: number): boolean =>
  open !== undefined && (statuses === undefined || ByStatus.find(statuses, status)?.open !== undefined)
