package io.github.dl4jfuse.contract;

/** What a full run does on the second core. */
class ContractSecondPart extends ContractTest {

    @Override
    int part() {
        return 2;
    }
}
