// Puts the page together: one connection, and views that only listen to it.
import { showChart } from './chart.js'
import { client, createConnection } from './connection.js'
import { showDiagram } from './diagram.js'
import { showFaults } from './faults.js'
import { createLedger } from './ledger.js'
import { showLog } from './log.js'
import { showMessages } from './messages.js'
import { showPresence } from './presence.js'
import { showStatus } from './status.js'

const ledger = createLedger()
const socket = createConnection(ledger)

showLog(socket)
showMessages(socket, ledger)
showStatus(socket)
showDiagram(socket)
showChart(socket)
showPresence(socket, client)
showFaults(socket, client)

// For the browser's console, and for the tests.
Object.assign(globalThis, { heartwireDemo: { socket, client } })
