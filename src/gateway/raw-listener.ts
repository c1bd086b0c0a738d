import { type Server, Socket } from 'node:net'

/** How much is read from a connection at once. */
const READ_BYTES = 64 * 1024

/** One for all listeners, of which each Service has one: what is read is told before anything else is read. */
let shared: Buffer | undefined

/** What Node's listening handle has; none of it is documented, so nothing is taken for granted. */
interface ListeningHandle {
  onconnection?: (this: ListeningHandle, status: number, handle: unknown) => void
}

/**
 * Lets all connections that a server takes read into one piece of memory, where Node would allocate one for each packet and pass it
 * through a stream: a 'data' listener gets a view that is only good until it returns. Made for thousands of small requests a second.
 *
 * `accept` gets each connection, and what makes it an ordinary stream from then on. Returns false, and changes nothing, where this
 * version of Node has no such handle; the server's own 'connection' event tells of connections then. Call it once the server listens.
 */
export function readIntoSharedMemory(server: Server, accept: (socket: Socket, becomeOrdinary: () => void) => void): boolean {
  const listening = (server as unknown as { _handle?: ListeningHandle | null })._handle
  const ownWay = listening?.onconnection
  if (!listening || typeof ownWay !== 'function') return false
  shared ??= Buffer.allocUnsafeSlow(READ_BYTES)
  const memory = shared

  listening.onconnection = function (status, handle) {
    // Out of file descriptors, say: told as Node tells it.
    if (status !== 0 || !handle) return ownWay.call(this, status, handle)
    let isOrdinary = false
    const options = {
      handle,
      allowHalfOpen: true,
      readable: true,
      writable: true,
      onread: {
        buffer: memory,
        callback(count: number): boolean {
          const bytes = memory.subarray(0, count)
          if (isOrdinary) return socket.push(Buffer.from(bytes))
          socket.emit('data', bytes)
          return true
        },
      },
    }
    const socket = new Socket(options)
    socket.setNoDelay(true)
    accept(socket, () => {
      isOrdinary = true
    })
  }
  return true
}
