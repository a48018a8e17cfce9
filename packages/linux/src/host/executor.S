# The executor of a checkpoint: makes a table of system calls inside of a frozen thread, and puts
# the thread back by itself when nobody does it for it. Runs in the zero tail of the thread's own
# [vdso], which it cannot write: all that changes is in registers and in the arena that it maps.
# Position independent. Its bytes are in executor-code.ts; a test assembles this file and compares.
#
# A thread enters with its own registers, only rip changed. Where it was interrupted in a system
# call, the kernel itself decides on the way: a call to restart leads to `restarted` (the kernel
# sets rip back by the two bytes of a syscall instruction), a signal handler that had to run first
# ends with -EINTR at `entered`, as it would have ended at the thread's own next instruction.
#
# Three stops, by a signal of the thread to itself that its tracer sees and that is ignored when
# there is none: 1 the arena is there (r12), the tracer writes table and data; 2 the table is done,
# the tracer reads the results; 3 the arena is gone, the tracer puts mask and registers back.
# After each the code just goes on when nobody is there to stop it.
#
# Arena: u64 number of calls, 56 bytes free, then 64 bytes a call: u32 number, u32 whether the rest
# is left out when it returns 0, six arguments, result.
#
# Registers: rbp frame   r12 arena   r13 call   r14 calls left   r15 finish_entered or _restarted

        .intel_syntax noprefix

# The frame, written behind the code by the tracer; offsets from rbp, so that each fits a byte.
        .struct -128
own_r15: .skip 8
own_r14: .skip 8
own_r13: .skip 8
own_r12: .skip 8
own_rbp: .skip 8
own_rbx: .skip 8
own_r11: .skip 8
own_r10: .skip 8
own_r9: .skip 8
own_r8: .skip 8
own_rcx: .skip 8
own_rdx: .skip 8
own_rsi: .skip 8
own_rdi: .skip 8
own_rsp: .skip 8
flags:  .skip 8
entered_rax: .skip 8
entered_rip: .skip 8
restarted_rax: .skip 8
restarted_rip: .skip 8
mask_running: .skip 8
mask_all: .skip 8
mask_own: .skip 8
interrupting: .skip 8
arena_size: .skip 8
tgid:   .skip 4
tid:    .skip 4
signal: .skip 4

        .text

        .macro  stop
        mov     eax, 234                        # tgkill
        mov     edi, [rbp + tgid]
        mov     esi, [rbp + tid]
        mov     edx, [rbp + signal]
        syscall
        .endm

restarted:
        jmp     1f
entered:
        lea     r15, [rip + finish_entered]
        jmp     2f
1:      lea     r15, [rip + finish_restarted]
2:      lea     rbp, [rip + frame + 128]
        lea     rsi, [rbp + mask_running]
        xor     edx, edx
        mov     edi, 2                          # SIG_SETMASK
        mov     r10d, 8
        mov     eax, 14                         # rt_sigprocmask
        syscall

        xor     edi, edi
        mov     rsi, [rbp + arena_size]
        mov     edx, 3                          # PROT_READ | PROT_WRITE
        mov     r10d, 0x22                      # MAP_PRIVATE | MAP_ANONYMOUS
        or      r8, -1
        xor     r9d, r9d
        mov     eax, 9                          # mmap
        syscall
        mov     r12, rax
        stop
stop_1: test    r12, r12
        js      unmapped

        mov     r14, [r12]
        mov     r13, r12
call:   sub     r14, 1
        jc      done
        add     r13, 64
        mov     eax, [r13]
        mov     rdi, [r13 + 8]
        mov     rsi, [r13 + 16]
        mov     rdx, [r13 + 24]
        mov     r10, [r13 + 32]
        mov     r8, [r13 + 40]
        mov     r9, [r13 + 48]
        syscall
        mov     [r13 + 56], rax
        test    rax, rax
        jnz     call
        cmp     dword ptr [r13 + 4], 0
        je      call

done:   stop
        # A signal that came meanwhile interrupts the thread's own call, as it would have done.
stop_2: mov     rdi, r12
        mov     esi, 8
        mov     eax, 127                        # rt_sigpending
        syscall
        mov     rax, [r12]
        test    rax, [rbp + interrupting]
        jz      3f
        lea     r15, [rip + finish_entered]
3:      mov     rdi, r12
        mov     rsi, [rbp + arena_size]
        mov     eax, 11                         # munmap
        syscall

unmapped:
        stop
        # Nobody was there: all signals stay out while rsp is not the thread's own.
stop_3: lea     rsi, [rbp + mask_all]
        xor     edx, edx
        mov     edi, 2
        mov     r10d, 8
        mov     eax, 14
        syscall
        lea     rsp, [rbp + flags]
        popfq                                   # From here on nothing that changes flags.
        mov     rsp, [rbp + own_rsp]
        lea     rsi, [rbp + mask_own]
        mov     edx, 0
        mov     edi, 2
        mov     r10d, 8
        mov     eax, 14
        syscall                                 # From here on signals come, on the thread's stack.
        mov     r14, [rbp + own_r14]
        mov     r13, [rbp + own_r13]
        mov     r12, [rbp + own_r12]
        mov     r11, [rbp + own_r11]
        mov     r10, [rbp + own_r10]
        mov     r9, [rbp + own_r9]
        mov     r8, [rbp + own_r8]
        mov     rbx, [rbp + own_rbx]
        mov     rcx, [rbp + own_rcx]
        mov     rdx, [rbp + own_rdx]
        mov     rsi, [rbp + own_rsi]
        mov     rdi, [rbp + own_rdi]
        jmp     r15

finish_entered:
        mov     r15, [rbp + own_r15]
        mov     rax, [rbp + entered_rax]
        mov     rbp, [rbp + own_rbp]
        jmp     [rip + frame + 128 + entered_rip]
finish_restarted:
        mov     r15, [rbp + own_r15]
        mov     rax, [rbp + restarted_rax]
        mov     rbp, [rbp + own_rbp]
        jmp     [rip + frame + 128 + restarted_rip]

        .balign 8
frame:
