package io.github.dl4jfuse.contract;

import io.github.dl4jfuse.contract.Contestant.Batches;

/**
 * One thing to check, with a name by which it can be run again: {@code -Dcontract.case=dense/preconditioned/resume/one/graph-double}.
 *
 * @param companion what is done with the network besides training it
 */
record Case(Network network, Contestant contestant, Companion companion, Batches batches, Form form) {

    static final long SEED = 20261127;

    String name() {
        return network + "/" + contestant + "/" + companion.name() + "/" + batches + "/" + form;
    }

    /** Starts a training of this case's own updater, with its listeners. */
    Course start() {
        return start(SEED);
    }

    Course start(long seed) {
        return new Course(this, contestant.updater(), seed).listening(contestant.listeners());
    }

    /** Returns whether part of the present phase is not saved with the model, as README says. */
    boolean forgets() {
        return batches == Batches.ONE && contestant.forgetsOneBatch() || contestant == Contestant.GAUSS_NEWTON;
    }

    /** The same with DL4J's Adam, which says what can be expected at all. */
    Case withAdam() {
        return new Case(network, Contestant.ADAM, companion, batches, form);
    }

    @Override
    public String toString() {
        return name();
    }
}
