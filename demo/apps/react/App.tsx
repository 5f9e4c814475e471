// The chat room, and what an application does to it: shows it, takes it away, and leads it to another room.
import { useEffect, useState } from 'react'
import { ROOMS } from '../shared/chat.ts'
import { ChatRoom } from './ChatRoom.tsx'

interface Props {
  readonly isStrict: boolean
  readonly setStrict: (isStrict: boolean) => void
}

export function App({ isStrict, setStrict }: Props) {
  const [isMounted, setMounted] = useState(true)
  const [room, setRoom] = useState<string | undefined>(ROOMS[0])

  return (
    <>
      <div className="controls">
        <button id="mounted" type="button" aria-pressed={isMounted} onClick={() => setMounted(!isMounted)}>
          Mounted
        </button>
        <button id="strict" type="button" aria-pressed={isStrict} onClick={() => setStrict(!isStrict)}>
          StrictMode
        </button>
        <fieldset>
          <legend className="unseen">Room</legend>
          {[...ROOMS, undefined].map((name) => (
            <label key={name ?? 'none'}>
              <input
                id={name ?? 'none'}
                type="radio"
                name="room"
                checked={name === room}
                onChange={() => setRoom(name)}
              />
              {name ?? 'no room'}
            </label>
          ))}
        </fieldset>
      </div>

      {isMounted ? <ChatRoom room={room} /> : <p className="chat empty">Not mounted, so not connected.</p>}
      <Effects />
    </>
  )
}

/** In StrictMode React mounts, unmounts and mounts again while one develops, and so this page is built. */
function Effects() {
  const [runs, setRuns] = useState(0)
  useEffect(() => setRuns((before) => before + 1), [])
  return (
    <p className="note">
      React has run the effects of this page <b id="runs">{runs}</b> {runs === 1 ? 'time' : 'times'} to mount it.
    </p>
  )
}
