/** The index of the first of `length` rising numbers that is not below `number`. */
export function lowerBound(numbers: ArrayLike<number>, length: number, number: number): number {
  let begin = 0
  let end = length
  while (begin < end) {
    const middle = (begin + end) >>> 1
    if ((numbers[middle] as number) < number) begin = middle + 1
    else end = middle
  }
  return begin
}
