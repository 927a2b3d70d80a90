package io.github.dl4jfuse.optim.lbfgs;

import static org.nd4j.linalg.indexing.NDArrayIndex.interval;

import io.github.dl4jfuse.linalg.BlockVectors;
import io.github.dl4jfuse.linalg.Chunks;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Vectors of one kind, s or y, as rows of memory that somebody else owns: slot i of piece b at i · n<sub>b</sub>. Rows in a
 * shorter type than the computation's are converted chunk by chunk as they are read.
 */
final class HistoryRows {

    private final INDArray[][] pieces; // [slot][piece]
    private final INDArray[][] chunks; // [slot][chunk]
    private final INDArray[] converted; // one memory, seen as long as each chunk; null where nothing is converted

    /**
     * Cuts the memory.
     *
     * @param count number of rows
     * @param memory one rank-1 array for each piece
     * @param type type of the computation
     */
    HistoryRows(int count, INDArray[] memory, DataType type) {
        pieces = new INDArray[count][memory.length];
        chunks = new INDArray[count][];
        for (int b = 0; b < memory.length; b++) {
            long n = memory[b].length() / count;
            if (n * count != memory[b].length()) {
                throw new IllegalArgumentException("Piece " + b + " of the history has " + memory[b].length()
                        + " elements, which is no multiple of the memory " + count + ".");
            }
            for (int i = 0; i < count; i++) {
                pieces[i][b] = memory[b].get(interval(i * n, (i + 1) * n)).reshape(n);
            }
        }
        boolean same = memory[0].dataType() == type;
        for (int i = 0; i < count; i++) {
            chunks[i] = same ? Chunks.of(pieces[i]) : Chunks.alwaysOf(pieces[i]);
        }
        converted = same ? null : conversions(chunks[0], type);
    }

    private static INDArray[] conversions(INDArray[] chunks, DataType type) {
        long longest = 0;
        for (INDArray chunk : chunks) {
            longest = Math.max(longest, chunk.length());
        }
        INDArray memory = Nd4j.zeros(type, longest);
        INDArray[] views = new INDArray[chunks.length];
        for (int c = 0; c < chunks.length; c++) {
            views[c] = memory.get(interval(0, chunks[c].length()));
        }
        return views;
    }

    /** Returns whether rows are converted, and vectors rounded when they are stored. */
    boolean areRounded() {
        return converted != null;
    }

    /** Cuts a vector of the computation as the rows are cut. */
    INDArray[] cut(INDArray[] vector) {
        return areRounded() ? Chunks.alwaysOf(vector) : Chunks.of(vector);
    }

    /** Returns a row as it lies in memory, one rank-1 array for each piece. */
    INDArray[] row(int slot) {
        return pieces[slot];
    }

    /** Returns a chunk of a row in the type of the computation; a converted one only lasts until the next call. */
    INDArray chunk(int slot, int c) {
        return areRounded() ? converted[c].assign(chunks[slot][c]) : chunks[slot][c];
    }

    /** Returns a chunk like {@link #chunk}, one that lasts until the row changes. */
    INDArray lastingChunk(int slot, int c) {
        return areRounded() ? chunk(slot, c).dup() : chunks[slot][c];
    }

    /** Stores a vector; nothing is copied where it is the row itself. */
    void store(int slot, INDArray[] vector) {
        if (vector == pieces[slot]) {
            return;
        }
        INDArray[] from = cut(vector);
        for (int c = 0; c < from.length; c++) {
            chunks[slot][c].assign(from[c]);
        }
    }

    /** Sets a vector to a row. */
    void load(int slot, INDArray[] vector) {
        BlockVectors.assign(vector, pieces[slot]);
    }
}
