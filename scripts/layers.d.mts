export function violationsIn(path: string, text: string): string[]
