;; What every script module has: the line that it writes, and the helpers that statements call.
;;
;; The generator declares the places: $line, $room, $room_end and $next. Results of a hostcall
;; are in slots of eight bytes, at 8, 16 and 24.

(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "environ_sizes_get"
  (func $environ_sizes (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

(global $cursor (mut i32) (i32.const 0))
(global $cut (mut i32) (i32.const 0))
(global $token (mut i32) (i32.const 0))
(global $cas (mut i32) (i32.const 0))
(global $root (mut i32) (i32.const 0))
(global $stream (mut i32) (i32.const 0))
(global $saved (mut i32) (i32.const 0))

(func (export "proxy_abi_version_0_2_1"))

;; What is handed over is read at once, so the room is a ring. 0 is a refusal.
(func $allocate (param $size i32) (result i32) (local $at i32)
  (if (i32.gt_u (local.get $size) (i32.sub (global.get $room_end) (global.get $room)))
    (then (return (i32.const 0))))
  (local.set $at (global.get $next))
  (if (i32.gt_u (local.get $size) (i32.sub (global.get $room_end) (local.get $at)))
    (then (local.set $at (global.get $room))))
  (global.set $next (i32.and (i32.const -8)
    (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7))))
  (local.get $at))

(func $clear_slots
  (memory.fill (i32.const 8) (i32.const 0) (i32.const 24)))

;; A line begins with a text, which may be of any length, and goes on with 8 KiB at most.
(func $begin (param $text i32) (param $length i32)
  (memory.copy (global.get $line) (local.get $text) (local.get $length))
  (global.set $cursor (i32.add (global.get $line) (local.get $length)))
  (global.set $cut (i32.add (global.get $cursor) (i32.const 8192))))

;; Past the cut the cursor goes on alone: that is how the end knows of it.
(func $put (param $byte i32)
  (if (i32.lt_u (global.get $cursor) (global.get $cut))
    (then (i32.store8 (global.get $cursor) (local.get $byte))))
  (global.set $cursor (i32.add (global.get $cursor) (i32.const 1))))

(func $end
  (if (i32.gt_u (global.get $cursor) (global.get $cut)) (then
    (memory.fill (global.get $cut) (i32.const 46) (i32.const 3))
    (global.set $cursor (i32.add (global.get $cut) (i32.const 3)))))
  (drop (call $log (i32.const 2) (global.get $line)
    (i32.sub (global.get $cursor) (global.get $line)))))

(func $number (param $number i64)
  (if (i64.ge_u (local.get $number) (i64.const 10))
    (then (call $number (i64.div_u (local.get $number) (i64.const 10)))))
  (call $put (i32.add (i32.const 48)
    (i32.wrap_i64 (i64.rem_u (local.get $number) (i64.const 10))))))

(func $signed (param $number i64)
  (if (i64.lt_s (local.get $number) (i64.const 0)) (then
    (call $put (i32.const 45))
    (local.set $number (i64.sub (i64.const 0) (local.get $number)))))
  (call $number (local.get $number)))

(func $digit (param $digit i32)
  (call $put (i32.add (local.get $digit)
    (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get $digit) (i32.const 10))))))

(func $escaped (param $byte i32)
  (call $put (i32.const 92))
  (call $put (i32.const 120))
  (call $digit (i32.shr_u (local.get $byte) (i32.const 4)))
  (call $digit (i32.and (local.get $byte) (i32.const 15))))

(func $is_plain (param $byte i32) (result i32)
  (i32.and
    (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x20)) (i32.const 0x5f))
    (i32.and
      (i32.ne (local.get $byte) (i32.const 34))
      (i32.ne (local.get $byte) (i32.const 92)))))

(func $bytes (param $at i32) (param $length i32) (local $end i32) (local $byte i32)
  (local.set $end (i32.add (local.get $at) (local.get $length)))
  (call $put (i32.const 34))
  (block $done (loop $each
    (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
    (local.set $byte (i32.load8_u (local.get $at)))
    (if (call $is_plain (local.get $byte))
      (then (call $put (local.get $byte)))
      (else (call $escaped (local.get $byte))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (br $each)))
  (call $put (i32.const 34)))

;; Pairs as a list, `["name" "value", ...]`. What does not add up is shown as the bytes it is, and
;; no bytes at all are not the same as no pairs.
(func $pairs (param $at i32) (param $length i32)
  (local $left i32) (local $sizes i32) (local $text i32)
  (if (i32.lt_u (local.get $length) (i32.const 4))
    (then (call $bytes (local.get $at) (local.get $length)) (return)))
  (local.set $left (i32.load (local.get $at)))
  (if (i32.gt_u (local.get $left)
        (i32.shr_u (i32.sub (local.get $length) (i32.const 4)) (i32.const 3)))
    (then (call $bytes (local.get $at) (local.get $length)) (return)))
  (local.set $sizes (i32.add (local.get $at) (i32.const 4)))
  (local.set $text (i32.add (local.get $sizes) (i32.shl (local.get $left) (i32.const 3))))
  (call $put (i32.const 91))
  (block $done (loop $each
    (br_if $done (i32.eqz (local.get $left)))
    (call $bytes (local.get $text) (i32.load (local.get $sizes)))
    (local.set $text (call $after (local.get $text) (local.get $sizes)))
    (call $put (i32.const 32))
    (call $bytes (local.get $text) (i32.load offset=4 (local.get $sizes)))
    (local.set $sizes (i32.add (local.get $sizes) (i32.const 4)))
    (local.set $text (call $after (local.get $text) (local.get $sizes)))
    (local.set $sizes (i32.add (local.get $sizes) (i32.const 4)))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $done (i32.eqz (local.get $left)))
    (call $put (i32.const 44))
    (call $put (i32.const 32))
    (br $each)))
  (call $put (i32.const 93))
  (if (i32.ne (local.get $text) (i32.add (local.get $at) (local.get $length))) (then
    (call $put (i32.const 32))
    (call $bytes (local.get $at) (local.get $length)))))

;; Where a text with a NUL behind it ends.
(func $after (param $text i32) (param $size i32) (result i32)
  (i32.add (i32.add (local.get $text) (i32.load (local.get $size))) (i32.const 1)))

;; Eight bytes as a number; bytes of another length as they are.
(func $little (param $at i32) (param $length i32)
  (if (i32.eq (local.get $length) (i32.const 8))
    (then (call $signed (i64.load (local.get $at))))
    (else (call $bytes (local.get $at) (local.get $length)))))

;; All variables, through slots 0 and 1 as a hostcall that hands over bytes.
(func $environ (result i32) (local $status i32) (local $names i32) (local $texts i32)
  (local.set $status (call $environ_sizes (i32.const 8) (i32.const 16)))
  (if (local.get $status) (then (return (local.get $status))))
  (local.set $names (call $allocate (i32.shl (i32.load (i32.const 8)) (i32.const 2))))
  (local.set $texts (call $allocate (i32.load (i32.const 16))))
  (i32.store (i32.const 8) (local.get $texts))
  (call $environ_get (local.get $names) (local.get $texts)))

(func $exit (param $code i32) (result i32)
  (call $proc_exit (local.get $code))
  (i32.const 0))

(func $grow (param $pages i32) (result i32)
  (i64.store (i32.const 8) (i64.extend_i32_s (memory.grow (local.get $pages))))
  (i32.const 0))

(func $save_context (param $id i32) (result i32)
  (i32.store (i32.const 8) (local.get $id))
  (i32.const 0))

(func $trap (result i32) (unreachable))

(func $loop (result i32) (loop $forever (br $forever)) (unreachable))

;; The sum keeps it from being a tail call.
(func $recurse (result i32) (i32.add (call $recurse) (i32.const 1)))
