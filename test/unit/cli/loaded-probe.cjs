// Preloaded into kn: writes, when it ends, which of Node's modules it has loaded to the file that LOADED_FILE names.
const { writeFileSync } = require('node:fs')

const before = new Set(process.moduleLoadList)
process.on('exit', () => {
  const loaded = process.moduleLoadList.filter((name) => !before.has(name) && name.startsWith('NativeModule '))
  writeFileSync(process.env.LOADED_FILE, loaded.map((name) => name.slice('NativeModule '.length)).join('\n'))
})
