// The script-tag build of `heartwire/reconnecting-websocket`: one global that is the class itself.
export { ReconnectingWebSocket as default } from './reconnecting-websocket.js'
