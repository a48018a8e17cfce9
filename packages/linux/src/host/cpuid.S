# void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t result[4]): eax, ebx, ecx, edx of the
# instruction. Called in this process alone (System V AMD64 ABI: edi, esi, rdx; rbx is the caller's).
	.text
cpuid:
	pushq	%rbx
	movq	%rdx, %r8
	movl	%edi, %eax
	movl	%esi, %ecx
	cpuid
	movl	%eax, (%r8)
	movl	%ebx, 4(%r8)
	movl	%ecx, 8(%r8)
	movl	%edx, 12(%r8)
	popq	%rbx
	ret
