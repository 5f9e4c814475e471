// A place in the document, and a way to wait for what it shows.

export interface Shown {
  readonly element: HTMLElement
  /** Resolves once its text is that. */
  readonly shows: (text: string | RegExp) => Promise<void>
}

export const show = (html = ''): Shown => {
  const element = document.createElement('div')
  element.innerHTML = html
  document.body.append(element)
  return {
    element,
    shows: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          const shown = element.textContent ?? ''
          if (typeof text === 'string' ? shown !== text : !text.test(shown)) return
          observer.disconnect()
          resolve()
        }
        const observer = new MutationObserver(look)
        observer.observe(element, { childList: true, characterData: true, subtree: true })
        look()
      }),
  }
}
