import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FIXTURES = join(process.cwd(), 'test', 'fixtures', 'protobuf')

/** A body as a real client sent it, or as Kubernetes' own types marshal it, and the JSON that it stands for. */
export interface Fixture {
  name: string
  body: Buffer
  object: Record<string, unknown>
}

export function fixtures(): Fixture[] {
  return readdirSync(FIXTURES)
    .filter((file) => file.endsWith('.pb'))
    .map((file) => fixture(file.slice(0, -'.pb'.length)))
}

export function fixture(name: string): Fixture {
  const object = JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8')) as Fixture['object']
  return { name, body: readFileSync(join(FIXTURES, `${name}.pb`)), object }
}

/** A whole number as protobuf writes it, up to 2^53 either way; negative ones take ten bytes. */
export function varint(value: number): Buffer {
  const bytes: number[] = []
  let high = Math.floor(value / 2 ** 32) >>> 0
  let low = value >>> 0
  while (high > 0 || low > 0x7f) {
    bytes.push((low & 0x7f) | 0x80)
    low = ((low >>> 7) | (high << 25)) >>> 0
    high >>>= 7
  }
  return Buffer.from([...bytes, low])
}

export const number = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)])

/** A field that holds text, bytes, or the fields of a message. */
export function part(field: number, ...content: readonly (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(content.map((each) => (typeof each === 'string' ? Buffer.from(each) : each)))
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes])
}

/** A whole body of a type; without one, its sender left that to the address. */
export function bodyOf(type: { apiVersion: string; kind: string } | undefined, ...fields: readonly Buffer[]): Buffer {
  const typeMeta = type ? [part(1, part(1, type.apiVersion), part(2, type.kind))] : []
  return Buffer.concat([Buffer.from('k8s\0'), ...typeMeta, part(2, ...fields)])
}
