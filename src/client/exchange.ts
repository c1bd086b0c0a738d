/** One HTTP request as it goes out; the path includes the query. */
export interface HttpRequest {
  method: string
  path: string
  headers: Record<string, string | string[]>
  body?: Buffer
}

/** Takes an answer as it comes in: `head` once, `data` any number of times, `end` once, with the error if one ended it. */
export interface Receiver {
  head(status: number, headers: ResponseHeaders): void
  data(chunk: Buffer): void
  end(error?: Error): void
}

/** By lower-case name. */
export type ResponseHeaders = Readonly<Record<string, readonly string[]>>

/** Sends one request to the server it was made for. What it returns cuts the exchange off; nothing is delivered afterwards. */
export type Exchange = (request: HttpRequest, receiver: Receiver) => () => void

/** A whole answer in memory. */
export interface WholeAnswer {
  status: number
  headers: ResponseHeaders
  body: Buffer
}

/** Sends a request and waits for all of its answer. Rejects with the connection's error. */
export function exchangeWhole(exchange: Exchange, request: HttpRequest): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    let status = 0
    let headers: ResponseHeaders = {}
    const chunks: Buffer[] = []
    exchange(request, {
      head(code, fields) {
        status = code
        headers = fields
      },
      data: (chunk) => void chunks.push(chunk),
      end: (error) =>
        error ? reject(error) : resolve({ status, headers, body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) }),
    })
  })
}
