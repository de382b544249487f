"use client"

import { useState } from "react"
import { program } from "../program.js"

/** A client component: the client is in the bundle of the browser. */
export const OnClick = () => {
  const [text, setText] = useState("load")
  return (
    <button type="button" onClick={async () => setText(await program("/"))}>
      {text}
    </button>
  )
}
