# The executor of a restart: walks a table of system calls inside of the new task, so that a whole
# plan takes a few resumes. Position independent, uses no stack. Its bytes are in
# run-executor-code.ts; a test assembles this file and compares.
#
# In: r12 = first entry, r13 = end of the table, r14 = pid, r15 = tid.
# Out: a SIGURG of the thread to itself, which its tracer sees; r12 = r13, or the entry that failed.
# (A breakpoint would end it as well, but the SIGTRAP of one resets an action that is SIG_IGN.)
#
# Entry, 112 bytes:
#   0 number   8..55 six arguments   56 result   64 flags   72 expected result
#   80 room   88 bytes expected there   96 how many   104 status
# Flags: bits 0-5 argument is the address of a result; bits 8-13 of a signed 32-bit word;
#   16 a failure is noted and the next entry runs; 17 expected result counts; 18 expected bytes count.
# Status: 0 not run, 1 done, 2 the call failed, 3 another result, 4 other bytes, 5 an argument is the
#   result of a call that failed.

        .intel_syntax noprefix
        .text
entry:  cmp     r12, r13
        jae     finish
        mov     rbx, [r12 + 64]
        xor     ebp, ebp

argument:
        lea     rdi, [r12 + 8 + rbp * 8]
        bt      ebx, ebp
        jnc     narrow
        mov     rax, [rdi]
        mov     rax, [rax]
        mov     edx, 5
        cmp     rax, -4095
        jae     failed
        mov     [rdi], rax
narrow: lea     ecx, [rbp + 8]
        bt      ebx, ecx
        jnc     following
        mov     rax, [rdi]
        movsxd  rax, dword ptr [rax]
        mov     [rdi], rax
following:
        inc     ebp
        cmp     ebp, 6
        jb      argument

        mov     rax, [r12]
        mov     rdi, [r12 + 8]
        mov     rsi, [r12 + 16]
        mov     rdx, [r12 + 24]
        mov     r10, [r12 + 32]
        mov     r8, [r12 + 40]
        mov     r9, [r12 + 48]
        syscall
        mov     edx, 2
        bt      ebx, 17
        jc      expected
        cmp     rax, -4095
        jae     failed
        jmp     room
expected:
        cmp     rax, [r12 + 72]
        je      room
        cmp     rax, -4095
        jae     failed
        inc     edx
        jmp     failed

room:   mov     [r12 + 56], rax
        bt      ebx, 18
        jnc     done
        mov     rsi, [r12 + 80]
        mov     rdi, [r12 + 88]
        mov     rcx, [r12 + 96]
        repe cmpsb
        mov     edx, 4
        jne     failed
done:   mov     dword ptr [r12 + 104], 1
        jmp     next

failed: mov     [r12 + 56], rax
        mov     [r12 + 104], edx
        bt      ebx, 16
        jnc     finish
next:   add     r12, 112
        jmp     entry

finish: mov     rdi, r14
        mov     rsi, r15
        mov     edx, 23
        mov     eax, 234
        syscall
        ud2

# The program that is there before the new task is: ends with the thread that started it, also when
# that one ended before it could be asked, and waits to be traced. The word `parent` is filled in.
        .section .stub, "ax"
        mov     eax, 157
        mov     edi, 1
        mov     esi, 9
        syscall
        mov     eax, 110
        syscall
        cmp     eax, [rip + parent]
        jne     orphan
rest:   mov     eax, 34
        syscall
        jmp     rest
orphan: mov     eax, 231
        xor     edi, edi
        syscall
parent: .long   0
