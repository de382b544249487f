/** The nesting depth of JSON: the parser reads any depth, but walking the result may overflow the stack. */

/** Deeper than the body of any API's error. */
export const maxDepth = 200

/** Whether lists and objects nest deeper than `maxDepth`. */
export const isDeep = (text: string): boolean => {
  let depth = 0
  let isString = false
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 0x22) isString = !isString
    else if (unit === 0x5c) at++
    else if (!isString && (unit === 0x5b || unit === 0x7b)) {
      if (++depth > maxDepth) return true
    } else if (!isString && (unit === 0x5d || unit === 0x7d)) depth--
  }
  return false
}

/** Whether a text is complete JSON. */
export const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
