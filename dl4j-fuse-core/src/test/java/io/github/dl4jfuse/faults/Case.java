package io.github.dl4jfuse.faults;

import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * One case of the campaign, drawn by its seed.
 *
 * @param step the first step that is struck
 * @param length how many steps in a row are
 * @param fixedBatch whether all other steps have one and the same batch
 * @param strangerFirst whether the other listener stands before ours
 */
public record Case(
        long seed,
        Subject subject,
        Trainee trainee,
        DataFault fault,
        Event event,
        DataType type,
        int step,
        int length,
        boolean fixedBatch,
        boolean strangerFirst) {

    private static final int[] LENGTHS = {1, 1, 3, 7};

    static Case draw(long seed) {
        Random random = new Random(seed);
        random.nextInt(); // seeds in a row begin alike
        Trainee trainee = Trainee.values()[1 + random.nextInt(Trainee.values().length - 1)];
        Subject subject = Subject.values()[random.nextInt(Subject.values().length)];
        DataFault fault = DataFault.values()[random.nextInt(DataFault.values().length)];
        Event event = random.nextBoolean() && fault != DataFault.NONE
                ? Event.NONE
                : Event.values()[1 + random.nextInt(Event.values().length - 1)];
        boolean fixedBatch = random.nextInt(3) == 0;
        return new Case(
                seed,
                subject,
                trainee,
                fault,
                event,
                random.nextInt(4) == 0 ? DataType.DOUBLE : DataType.FLOAT,
                random.nextInt(4) == 0 ? random.nextInt(3) : 3 + random.nextInt(steps(fixedBatch) / 2),
                LENGTHS[random.nextInt(LENGTHS.length)],
                fixedBatch,
                random.nextBoolean());
    }

    Case withSeed(long other) {
        return new Case(other, subject, trainee, fault, event, type, step, length, fixedBatch, strangerFirst);
    }

    private static int steps(boolean fixedBatch) {
        return fixedBatch ? Run.STEPS_ON_A_FIXED_BATCH : Run.STEPS;
    }

    int steps() {
        return steps(fixedBatch);
    }

    boolean strikes(int at) {
        return at >= step && at < step + length;
    }
}
