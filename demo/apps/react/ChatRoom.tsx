// A chat room that survives its connection. Two components share one: who names the same instance and url has the same.
import { useState } from 'react'
import { json } from 'heartwire'
import { useHeartwire } from 'heartwire/react'
import { client, compose, roomUrl } from '../shared/chat.ts'
import type { FromServer, Said, ToServer, Unconfirmed } from '../shared/chat.ts'
import { WORDS } from '../shared/words.ts'

interface Props {
  /** Without one there is no connection. */
  readonly room: string | undefined
}

const OPTIONS = {
  instance: 'chat',
  codec: json<FromServer, ToServer>(),
  heartbeat: { message: '{"heart":1}', pong: '{"heart":1}', interval: 2_000, timeout: 2_000 },
  connectTimeout: 5_000,
  reconnect: { maxDelay: 5_000 },
}

/** Another room is another url: its connection replaces the old one. */
const useRoom = (room: string | undefined, onMessage: (message: FromServer) => void) =>
  useHeartwire<FromServer, ToServer>(room && roomUrl(room), { ...OPTIONS, onMessage })

export const ChatRoom = ({ room }: Props) => (
  <section className="chat" aria-label="Chat">
    <Connection room={room} />
    {/* What belongs to a room goes with it: the key. (What was still queued there has been dropped with its connection.) */}
    <Conversation room={room} key={room} />
  </section>
)

function Connection({ room }: Props) {
  const [people, setPeople] = useState<readonly string[]>([])
  const { state, latency, attempt, retryIn, error, reconnect } = useRoom(room, (message) => {
    if (message.type === 'people') setPeople(message.people)
  })
  const { tone, label } = WORDS[state]

  return (
    <header data-tone={tone} data-state={state}>
      <h2>{room ? `# ${room}` : 'No room'}</h2>
      <p className="state" role="status">
        <span className="lamp" aria-hidden="true" />
        {label}
      </p>
      <p className="detail">
        {retryIn !== null && (
          <>
            Retry {attempt} in <b className="countdown">{Math.ceil(retryIn / 1000)} s</b>.{' '}
          </>
        )}
        {error && <span className="error">{error.message}</span>}
        {!room && 'No url, no connection.'}
        {state === 'open' && `${people.length} here`}
        {state === 'open' && latency !== null && <span className="latency">, {latency.toFixed(1)} ms</span>}
      </p>
      {state === 'waiting' && (
        <button type="button" className="retry" onClick={reconnect}>
          Retry now
        </button>
      )}
    </header>
  )
}

function Conversation({ room }: Props) {
  const [said, setSaid] = useState<readonly Said[]>([])
  const [unconfirmed, setUnconfirmed] = useState<readonly Unconfirmed[]>([])
  const [text, setText] = useState('')

  const { state, send } = useRoom(room, (message) => {
    if (message.type === 'people') return
    const { type, messages } = message
    // The first message of each connection is the history: whatever we missed is in it.
    setSaid((before) => (type === 'history' ? messages : [...before, ...messages]))
    setUnconfirmed((before) => before.filter(({ id }) => !messages.some((each) => each.id === id)))
  })

  const submit = () => {
    const message = compose(text)
    // Without a socket `send` returns false; while one is not open, the message waits in its queue.
    if (!send(message)) return
    setUnconfirmed((before) => [...before, { ...message, isQueued: state !== 'open' }])
    setText('')
  }

  return (
    <>
      <div className="messages" role="log" aria-label="Messages" tabIndex={0}>
        <ol>
          {said.map(({ id, from, text: words }) => (
            <li key={id} className={from === client ? 'own' : undefined}>
              <b>{from === client ? 'you' : from}</b> <span>{words}</span>
            </li>
          ))}
          {unconfirmed.map(({ id, text: words, isQueued }) => (
            <li key={id} className="own unconfirmed">
              <b>you, {isQueued && state !== 'open' ? 'queued' : 'not confirmed'}</b> <span>{words}</span>
            </li>
          ))}
        </ol>
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <input
          value={text}
          onChange={(event) => setText(event.target.value)}
          aria-label="Message"
          autoComplete="off"
          maxLength={200}
          required
          disabled={!room}
        />
        <button className="primary" disabled={!room}>
          Send
        </button>
      </form>
    </>
  )
}
