/** The reversed polynomial of IEEE 802.3. */
const POLYNOMIAL = 0xedb88320

/** CRC-32 of a text's UTF-8, as eight hexadecimal digits. (Node has one of its own from version 22.2 on only.) */
export function crc32(text: string): string {
  let crc = 0xffffffff
  for (const byte of Buffer.from(text)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  }
  return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0')
}
